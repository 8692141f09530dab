/*
 * chain.h
 *		The places where credentials are looked for, one after the other.
 */
#ifndef IOTDATA_CREDENTIALS_CHAIN_H
#define IOTDATA_CREDENTIALS_CHAIN_H

#include "credentials/provider.h"
#include "credentials/sts.h"

/*
 * Look for the credentials of a source, as a provider does: FOUND fills
 * "values"; FAILED and NONE fill "failure" (28000).
 */
extern IotDataCredentialsResult iotdata_credentials_find(const IotDataCredentialsSource *source,
														 IotDataCredentialsValues *values,
														 IotDataFailure *failure);

/*
 * The same for a source that has a role, without waiting for STS: begins to
 * assume the role, in the current memory context. NULL: see "result".
 */
extern IotDataStsExchange *iotdata_credentials_begin(const IotDataCredentialsSource *source,
													 IotDataCredentialsResult *result,
													 IotDataFailure *failure);

/* Its end: iotdata_sts_end for what it has begun. */
extern IotDataCredentialsResult iotdata_credentials_end(IotDataStsExchange *exchange,
														IotDataCredentialsValues *values,
														IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_CHAIN_H */
