/*
 * chain.h
 *		The places where credentials are looked for, one after the other.
 */
#ifndef IOTDATA_CREDENTIALS_CHAIN_H
#define IOTDATA_CREDENTIALS_CHAIN_H

#include "credentials/provider.h"

/*
 * Look for the credentials of a source, as a provider does: FOUND fills
 * "values"; FAILED and NONE fill "failure" (28000).
 */
extern IotDataCredentialsResult iotdata_credentials_find(const IotDataCredentialsSource *source,
														 IotDataCredentialsValues *values,
														 IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_CHAIN_H */
