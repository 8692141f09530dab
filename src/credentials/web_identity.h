/*
 * web_identity.h
 *		Credentials of a role for a token of an identity provider, as EKS has it.
 */
#ifndef IOTDATA_CREDENTIALS_WEB_IDENTITY_H
#define IOTDATA_CREDENTIALS_WEB_IDENTITY_H

#include "credentials/provider.h"

extern const IotDataCredentialsProvider iotdata_web_identity_provider;

#endif							/* IOTDATA_CREDENTIALS_WEB_IDENTITY_H */
