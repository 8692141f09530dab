/*
 * profile_failed.h
 *		What is said of a profile that gives no credentials.
 */
#ifndef IOTDATA_CREDENTIALS_PROFILE_FAILED_H
#define IOTDATA_CREDENTIALS_PROFILE_FAILED_H

#include "credentials/provider.h"

/*
 * FAILED: 28000 "could not get AWS credentials from PLACE", with the detail, a
 * sentence, and a hint or NULL. "place" and "detail" are sanitized already.
 */
extern IotDataCredentialsResult iotdata_profile_failed(IotDataFailure *failure,
													   const char *place,
													   const char *detail,
													   const char *hint);

/* Text of the files for a message: sanitized, and not too long. */
extern char *iotdata_profile_show(const char *text);

#endif							/* IOTDATA_CREDENTIALS_PROFILE_FAILED_H */
