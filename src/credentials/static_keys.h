/*
 * static_keys.h
 *		Keys that the source itself has.
 */
#ifndef IOTDATA_CREDENTIALS_STATIC_KEYS_H
#define IOTDATA_CREDENTIALS_STATIC_KEYS_H

#include "credentials/provider.h"

extern const IotDataCredentialsProvider iotdata_static_keys_provider;

#endif							/* IOTDATA_CREDENTIALS_STATIC_KEYS_H */
