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

/* a SHA-256 */
#define IOTDATA_CACHE_SCOPE_SIZE 32

/*
 * Whose answer to what. "scope" is a hash over endpoint, region and
 * credentials, so that nobody gets what their own credentials were not told.
 */
typedef struct IotDataCacheKey
{
	uint64_t	hash;			/* over both */
	const uint8_t *scope;		/* IOTDATA_CACHE_SCOPE_SIZE bytes */
	const char *request;		/* path and query */
	size_t		length;			/* of it */
} IotDataCacheKey;

typedef struct IotDataCachedAnswer
{
	int64_t		observed_at;	/* when it came, as a TimestampTz */
	bool		not_found;		/* it was a 404: no bytes */
	const char *bytes;
	size_t		length;
} IotDataCachedAnswer;

/*
 * Make an empty ring in "size" bytes at "memory", which is aligned for a
 * uint64_t; 64 KB at least. Most of it is not written to before it is used.
 */
extern IotDataCacheRing *iotdata_cache_ring_init(void *memory, size_t size);

/*
 * The answer of a key, or false. "answer->bytes" then points into the ring: it
 * is good until somebody stores.
 */
extern bool iotdata_cache_ring_find(const IotDataCacheRing *ring,
									const IotDataCacheKey *key,
									IotDataCachedAnswer *answer);

/*
 * Store an answer in the place of the key's older one. What would take more
 * than an eighth of the ring is not stored.
 */
extern void iotdata_cache_ring_store(IotDataCacheRing *ring,
									 const IotDataCacheKey *key,
									 const IotDataCachedAnswer *answer);

/* Drop all entries. */
extern void iotdata_cache_ring_reset(IotDataCacheRing *ring);

#endif							/* IOTDATA_SHARED_CACHE_RING_H */
