/*
 * provider.h
 *		One place where credentials may be, and what it gives.
 */
#ifndef IOTDATA_CREDENTIALS_PROVIDER_H
#define IOTDATA_CREDENTIALS_PROVIDER_H

#include "postgres.h"

#include "credentials/object.h"
#include "error/failure.h"

/*
 * Where a target's credentials come from. Without a member of the first three
 * kinds there are none. Strings are the target's; NULL: not given.
 */
typedef struct IotDataCredentialsSource
{
	const char *access_key_id;	/* static keys: these three, */
	const char *secret_access_key;
	const char *session_token;
	const char *profile;		/* or an AWS profile, */
	bool		use_default;	/* or AWS's chain of places */

	const char *role_arn;		/* the role that is assumed with those */
	const char *external_id;
	const char *role_session_name;

	char		region[64];		/* whose STS is asked; one host label */
	bool		use_fips_endpoint;
	bool		use_dualstack_endpoint;
	const char *ca_file;		/* NULL: as the setting says */
} IotDataCredentialsSource;

typedef enum IotDataCredentialsResult
{
	IOTDATA_CREDENTIALS_FOUND,
	IOTDATA_CREDENTIALS_NONE,	/* not here: the next provider is asked */
	IOTDATA_CREDENTIALS_FAILED	/* here, but unusable: nobody else is asked */
} IotDataCredentialsResult;

/*
 * One place where credentials may be. FOUND fills "values", whose strings are
 * in the current memory context or static. FAILED fills "failure" (28000). NONE
 * sets only the failure's detail, a sentence that says why there are none, for
 * the error that lists what was tried. Raises nothing but interrupts.
 */
typedef struct IotDataCredentialsProvider
{
	const char *name;			/* what users see as the source */
	IotDataCredentialsResult (*get) (const IotDataCredentialsSource *source,
									 IotDataCredentialsValues *values,
									 IotDataFailure *failure);
} IotDataCredentialsProvider;

/* The variable of the server's environment; NULL when it is unset or empty. */
extern const char *iotdata_credentials_variable(const char *name);

/*
 * A provider's FAILED, with 28000: "message" says of which place the
 * credentials are unusable.
 */
extern IotDataCredentialsResult iotdata_credentials_fail(IotDataFailure *failure,
														 const char *message,
														 const char *detail,
														 const char *hint);

/* A provider's NONE: "why", a sentence. */
extern IotDataCredentialsResult iotdata_credentials_none(IotDataFailure *failure,
														 const char *why);

/* May this value go into a header: printable ASCII, no blanks, not empty? */
extern bool iotdata_credentials_is_header_safe(const char *value);

#endif							/* IOTDATA_CREDENTIALS_PROVIDER_H */
