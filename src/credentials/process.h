/*
 * process.h
 *		Credentials from a program that a profile names.
 */
#ifndef IOTDATA_CREDENTIALS_PROCESS_H
#define IOTDATA_CREDENTIALS_PROCESS_H

#include "credentials/provider.h"

/*
 * Run credential_process, and take the credentials that it prints. "place" is
 * where its command was found, for messages; it is not changed. FOUND fills
 * keys, token and expiry; otherwise FAILED, with "failure" (28000).
 */
extern IotDataCredentialsResult iotdata_process_get(const char *command,
													const char *place,
													IotDataCredentialsValues *values,
													IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_PROCESS_H */
