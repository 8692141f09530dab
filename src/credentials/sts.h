/*
 * sts.h
 *		AWS's Security Token Service: temporary credentials of a role.
 */
#ifndef IOTDATA_CREDENTIALS_STS_H
#define IOTDATA_CREDENTIALS_STS_H

#include "postgres.h"

#include "credentials/provider.h"

typedef struct IotDataStsRole
{
	const char *role_arn;
	const char *external_id;	/* NULL: none */
	const char *role_session_name;	/* NULL: a name of ours */
	int			duration_seconds;	/* 0: what STS gives by itself */
} IotDataStsRole;

/* An AssumeRole that is under way. */
typedef struct IotDataStsExchange IotDataStsExchange;

/*
 * AssumeRole, signed with "signer", at the STS of the source's region. FOUND or
 * FAILED, as a provider's.
 */
extern IotDataCredentialsResult iotdata_sts_assume_role(const IotDataCredentialsSource *source,
														const IotDataStsRole *role,
														const IotDataCredentialsValues *signer,
														IotDataCredentialsValues *values,
														IotDataFailure *failure);

/*
 * The same in two steps, without waiting between them: begin it in a memory
 * context that holds all of it, ask whether it still runs, and end it there.
 */
extern IotDataStsExchange *iotdata_sts_begin_assume_role(const IotDataCredentialsSource *source,
														 const IotDataStsRole *role,
														 const IotDataCredentialsValues *signer);
extern bool iotdata_sts_is_running(const IotDataStsExchange *exchange);
extern IotDataCredentialsResult iotdata_sts_end(IotDataStsExchange *exchange,
												IotDataCredentialsValues *values,
												IotDataFailure *failure);

/* AssumeRoleWithWebIdentity, with the token that is in a file, read anew. */
extern IotDataCredentialsResult iotdata_sts_assume_role_with_web_identity(const IotDataCredentialsSource *source,
																		  const IotDataStsRole *role,
																		  const char *token_file,
																		  IotDataCredentialsValues *values,
																		  IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_STS_H */
