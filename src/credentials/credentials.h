/*
 * credentials.h
 *		What requests are signed with: the chain of places where it is found.
 */
#ifndef IOTDATA_CREDENTIALS_H
#define IOTDATA_CREDENTIALS_H

#include "postgres.h"

#include "credentials/provider.h"

/*
 * Ask the providers in AWS's order. FOUND fills "credentials", FAILED fills
 * "failure" (28000), NONE fills "failure" too and says what to do.
 */
extern IotDataCredentialsResult iotdata_credentials_find(IotDataCredentials *credentials,
														 IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_H */
