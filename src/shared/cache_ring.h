/*
 * cache_ring.h
 *		Entries found by their key in a ring of bytes: a new one takes the place
 *		of the oldest.
 *
 * It is plain memory that may be mapped anywhere, and needs no PostgreSQL
 * header, so that it is tested without a server. Who uses it keeps others out
 * while it changes; any number may look at the same time.
 */
#ifndef IOTDATA_SHARED_CACHE_RING_H
#define IOTDATA_SHARED_CACHE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct IotDataCacheRing IotDataCacheRing;

/* What an entry is found by: all of it counts, and "hash" is over all of it. */
typedef struct IotDataCacheRingKey
{
	uint64_t	hash;
	const void *scope;
	size_t		scope_length;
	const void *request;
	size_t		request_length;
} IotDataCacheRingKey;

typedef struct IotDataCacheRingValue
{
	int64_t		observed_at;
	bool		absent;
	const void *bytes;
	size_t		length;
} IotDataCacheRingValue;

/*
 * Make an empty ring in "size" bytes at "memory", which is aligned for a
 * uint64_t; 64 KB at least. Most of it is not written to before it is used.
 */
extern IotDataCacheRing *iotdata_cache_ring_init(void *memory, size_t size);

/*
 * The entry of a key, or false. "value->bytes" then points into the ring: it
 * is good until somebody stores.
 */
extern bool iotdata_cache_ring_find(const IotDataCacheRing *ring,
									const IotDataCacheRingKey *key,
									IotDataCacheRingValue *value);

/*
 * Store an entry in the place of the key's older one. What would take more
 * than an eighth of the ring is not stored.
 */
extern void iotdata_cache_ring_store(IotDataCacheRing *ring,
									 const IotDataCacheRingKey *key,
									 const IotDataCacheRingValue *value);

/* Drop all entries. */
extern void iotdata_cache_ring_reset(IotDataCacheRing *ring);

#endif							/* IOTDATA_SHARED_CACHE_RING_H */
