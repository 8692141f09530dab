/*
 * environment.h
 *		Credentials from the environment variables of the server process.
 */
#ifndef IOTDATA_CREDENTIALS_ENVIRONMENT_H
#define IOTDATA_CREDENTIALS_ENVIRONMENT_H

#include "credentials/provider.h"

extern const IotDataCredentialsProvider iotdata_environment_provider;

#endif							/* IOTDATA_CREDENTIALS_ENVIRONMENT_H */
