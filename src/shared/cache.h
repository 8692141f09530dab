/*
 * cache.h
 *		The response cache: answers that any session observed, for those who may
 *		take one of some age; and who is asking for what right now.
 *
 * The memory is bounded: a new answer evicts others, those first that are too
 * old for anybody, then such as were not asked for lately (cache_page.c).
 */
#ifndef IOTDATA_SHARED_CACHE_H
#define IOTDATA_SHARED_CACHE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "shared/cache_drops.h"
#include "shared/cache_page.h"

/* an answer of more bytes is not cached */
#define IOTDATA_CACHE_MAX_LENGTH 2048

/* The key of a request (path and query); both belong to the caller. */
extern IotDataCacheKey iotdata_cache_key(const uint8 *scope, const char *request,
										 size_t length);

/*
 * The newest answer, if it is no older than "max_age" microseconds. Its bytes
 * are copied into "buffer". Returns false when there is none.
 */
extern bool iotdata_cache_find(const IotDataCacheKey *key, int64 max_age,
							   IotDataCachedAnswer *answer,
							   char buffer[IOTDATA_CACHE_MAX_LENGTH]);

/* A call is made because no cached answer would do. */
extern void iotdata_cache_note_miss(const IotDataCacheKey *key);

/*
 * Store an answer, in the place of an older one. One that is too long is not
 * stored, nor one that is older than what is there, nor one to a question that
 * was asked ("asked": the drops at that time) before answers were dropped.
 */
extern void iotdata_cache_store(const IotDataCacheKey *key,
								const IotDataCachedAnswer *answer,
								const IotDataCacheDrops *asked);

/*
 * Drop the answers to requests of a path, whatever their query, because what
 * they say is true no more. An answer that is still on its way is not stored
 * either, if it was asked for before. "subject" is what the path is about.
 */
extern void iotdata_cache_drop(const uint8 *scope, const char *path, uint64 subject);

/* Drop all answers. */
extern void iotdata_cache_clear(void);

/* What it holds, and what it was good for since the last reset. */
typedef struct IotDataCacheStatistics
{
	IotDataCacheUse use;
	uint64		capacity;		/* bytes */
	uint64		hits;			/* answers found for a max_age */
	uint64		misses;			/* calls made though there was a max_age */
	uint64		evictions;		/* answers that had to make room */
} IotDataCacheStatistics;

extern void iotdata_cache_get_statistics(IotDataCacheStatistics *statistics);

/* Count hits, misses and evictions anew. */
extern void iotdata_cache_reset_statistics(void);

/* For areas.c: the area's size, and its first state. */
extern Size iotdata_cache_area_size(void);
extern void iotdata_cache_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_CACHE_H */
