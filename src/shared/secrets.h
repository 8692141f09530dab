/*
 * secrets.h
 *		Temporary credentials that all sessions may use: one finds them for all.
 *
 * There are few sources of such; the least recently renewed gives way to a new
 * one. What is replaced is cleared. Only of use when the memory is the whole
 * cluster's: otherwise nothing is stored.
 */
#ifndef IOTDATA_SHARED_SECRETS_H
#define IOTDATA_SHARED_SECRETS_H

#include "postgres.h"

#include "datatype/timestamp.h"

#define IOTDATA_SECRETS_KEY_SIZE 32
#define IOTDATA_SECRETS_MAX_LENGTH 8000

/* What is stored; the bytes are the caller's business. */
typedef struct IotDataSharedSecret
{
	TimestampTz got_at;
	TimestampTz expire_at;
	size_t		length;
	char		bytes[IOTDATA_SECRETS_MAX_LENGTH];
} IotDataSharedSecret;

/* Copy what is stored under a key. Returns false when there is nothing. */
extern bool iotdata_secrets_find(const uint8 key[IOTDATA_SECRETS_KEY_SIZE],
								 IotDataSharedSecret *secret);

/* Store it, in the place of what was there before. */
extern void iotdata_secrets_store(const uint8 key[IOTDATA_SECRETS_KEY_SIZE],
								  const IotDataSharedSecret *secret);

/*
 * Announce that this session renews what is stored under a key. Returns false
 * when another one has done so after "since".
 */
extern bool iotdata_secrets_claim(const uint8 key[IOTDATA_SECRETS_KEY_SIZE],
								  TimestampTz now, TimestampTz since);

/* The area of shared memory. */
extern Size iotdata_secrets_area_size(void);
extern void iotdata_secrets_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_SECRETS_H */
