/*
 * provider.h
 *		One place where credentials may be, and what it gives.
 */
#ifndef IOTDATA_CREDENTIALS_PROVIDER_H
#define IOTDATA_CREDENTIALS_PROVIDER_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "error/failure.h"

/*
 * Strings are printable ASCII without blanks, so that they are safe in a
 * header. They belong to the provider and stay valid until it is asked again.
 */
typedef struct IotDataCredentials
{
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;	/* NULL when there is none */
	const char *source;			/* the provider's name */
	TimestampTz expire_at;		/* DT_NOEND when they do not expire */
} IotDataCredentials;

typedef enum IotDataCredentialsResult
{
	IOTDATA_CREDENTIALS_FOUND,
	IOTDATA_CREDENTIALS_NONE,	/* not here: the next provider is asked */
	IOTDATA_CREDENTIALS_FAILED	/* here, but unusable: nobody else is asked */
} IotDataCredentialsResult;

/* One place where credentials may be. */
typedef struct IotDataCredentialsProvider
{
	const char *name;			/* what users see as the source */
	IotDataCredentialsResult (*get) (IotDataCredentials *credentials,
									 IotDataFailure *failure);
} IotDataCredentialsProvider;

/* May this value go into a header: printable ASCII, no blanks, not empty? */
extern bool iotdata_credentials_is_header_safe(const char *value);

#endif							/* IOTDATA_CREDENTIALS_PROVIDER_H */
