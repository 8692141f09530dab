/*
 * instance.h
 *		Credentials of the role of an EC2 instance, from its metadata.
 */
#ifndef IOTDATA_CREDENTIALS_INSTANCE_H
#define IOTDATA_CREDENTIALS_INSTANCE_H

#include "credentials/provider.h"

extern const IotDataCredentialsProvider iotdata_instance_provider;

#endif							/* IOTDATA_CREDENTIALS_INSTANCE_H */
