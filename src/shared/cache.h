/*
 * cache.h
 *		Answers that any session observed, kept for those who may take one of
 *		some age; and who is asking for what right now.
 *
 * The memory is a ring: a new answer takes the place of the oldest ones, and
 * nothing else is ever dropped but by iotdata_cache_clear. An answer is found
 * by all that decides it: endpoint, region, credentials (as "scope") and the
 * request's path and query.
 */
#ifndef IOTDATA_SHARED_CACHE_H
#define IOTDATA_SHARED_CACHE_H

#include "postgres.h"

#include "datatype/timestamp.h"

#define IOTDATA_CACHE_SCOPE_SIZE 32

/* an answer of more bytes is not kept */
#define IOTDATA_CACHE_MAX_LENGTH 2048

/*
 * Whose answer to what. "scope" is a SHA-256 over endpoint, region, access key
 * and secret, so that nobody gets what their own credentials were not told.
 */
typedef struct IotDataCacheKey
{
	const uint8 *scope;			/* IOTDATA_CACHE_SCOPE_SIZE bytes */
	const char *request;		/* path and query */
	size_t		length;			/* of it */
	uint64		hash;			/* over both, by iotdata_cache_hash */
} IotDataCacheKey;

typedef struct IotDataCachedAnswer
{
	TimestampTz observed_at;	/* when the answer came */
	bool		absent;			/* it was a 404: no bytes */
	size_t		length;
	char		bytes[IOTDATA_CACHE_MAX_LENGTH];
} IotDataCachedAnswer;

/* Somebody's announcement that they are asking; 0 is none. */
typedef uint64 IotDataCacheClaim;

extern uint64 iotdata_cache_hash(const uint8 *scope, const char *request,
								 size_t length);

/*
 * The newest answer, if it was observed at "oldest" or later (and not after
 * now, as after the clock was set back). Returns false when there is none. Of
 * answer->bytes only "length" are written.
 */
extern bool iotdata_cache_find(const IotDataCacheKey *key, TimestampTz oldest,
							   IotDataCachedAnswer *answer);

/*
 * Keep an answer, in the place of an older one. One that is too long is not,
 * nor one that is older than what is kept.
 */
extern void iotdata_cache_store(const IotDataCacheKey *key,
								const IotDataCachedAnswer *answer);

/*
 * Announce that this session is about to ask. Returns false when another one
 * already is (of this session's own calls none asks twice; that is the
 * caller's concern); then "wait" gets the microseconds after which to look
 * again at the latest, should nobody set the latch: who asks may be stuck, and
 * after three seconds counts as gone. When there is no room for the announcement,
 * true is returned with no claim: ask all the same.
 *
 * Who waits is woken through a condition variable, by its latch: it calls
 * iotdata_cache_prepare_to_wait each time before it looks (find, claim), and
 * iotdata_cache_stop_waiting when it waits no longer. To wake is to be taken off
 * the variable's list. The end of a transaction or subtransaction by an error
 * takes a session off it, too, and so does waiting for another one.
 */
extern bool iotdata_cache_claim(const IotDataCacheKey *key, int64 now,
								IotDataCacheClaim *claim, int64 *wait);

/* It was answered (and stored), or given up: wakes those who wait. */
extern void iotdata_cache_release(IotDataCacheClaim claim);

extern void iotdata_cache_prepare_to_wait(void);
extern void iotdata_cache_stop_waiting(void);

/* Drop all answers. */
extern void iotdata_cache_clear(void);

/* For shared.c: the area's size, and its first state. */
extern Size iotdata_cache_area_size(void);
extern void iotdata_cache_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_CACHE_H */
