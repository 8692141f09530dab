/*
 * credentials.h
 *		What requests are signed with: where it is found.
 */
#ifndef IOTDATA_CREDENTIALS_H
#define IOTDATA_CREDENTIALS_H

#include "postgres.h"

#include "credentials/object.h"
#include "credentials/provider.h"

/*
 * The credentials that a source stands for. FOUND: "*credentials" are held by
 * "holder". Otherwise "failure" is filled (28000), in the current memory
 * context: NONE, there are none; FAILED, they cannot be used. May wait for the
 * network; raises what CHECK_FOR_INTERRUPTS raises, and nothing else.
 */
extern IotDataCredentialsResult iotdata_credentials_get(const IotDataCredentialsSource *source,
														MemoryContext holder,
														const IotDataCredentials **credentials,
														IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_H */
