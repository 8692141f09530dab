/*
 * container.h
 *		Credentials that a container is given: ECS, and EKS Pod Identity.
 */
#ifndef IOTDATA_CREDENTIALS_CONTAINER_H
#define IOTDATA_CREDENTIALS_CONTAINER_H

#include "credentials/provider.h"

extern const IotDataCredentialsProvider iotdata_container_provider;

#endif							/* IOTDATA_CREDENTIALS_CONTAINER_H */
