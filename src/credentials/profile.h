/*
 * profile.h
 *		Credentials from a profile of AWS's config and credentials files.
 */
#ifndef IOTDATA_CREDENTIALS_PROFILE_H
#define IOTDATA_CREDENTIALS_PROFILE_H

#include "credentials/provider.h"

/* Asks the profile of the source, or that of the environment when it has none. */
extern const IotDataCredentialsProvider iotdata_profile_provider;

#endif							/* IOTDATA_CREDENTIALS_PROFILE_H */
