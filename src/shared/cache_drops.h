/*
 * cache_drops.h
 *		Whether answers about something were dropped from the response cache
 *		since it was asked about.
 *
 * A "subject" is a hash of what a request is about (a client ID). Subjects share
 * some places, so that at times the answer to one is taken for outdated because
 * another's were dropped; never the other way round.
 */
#ifndef IOTDATA_SHARED_CACHE_DROPS_H
#define IOTDATA_SHARED_CACHE_DROPS_H

#include "postgres.h"

/* How often it had happened at some moment. */
typedef struct IotDataCacheDrops
{
	uint32		place;
	uint32		count;
} IotDataCacheDrops;

/* How often it has happened. Raises out of memory, the first time. */
extern IotDataCacheDrops iotdata_cache_drops(uint64 subject);

/* Has it not happened since? */
extern bool iotdata_cache_drops_are(const IotDataCacheDrops *drops);

/* It happens. */
extern void iotdata_cache_note_drop(uint64 subject);

/* For areas.c: the area's size, and its first state. */
extern Size iotdata_cache_drops_area_size(void);
extern void iotdata_cache_drops_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_CACHE_DROPS_H */
