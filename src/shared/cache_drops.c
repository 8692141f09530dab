/*
 * cache_drops.c
 *		Whether answers about something were dropped from the response cache
 *		since it was asked about: counters, with places by hash.
 *
 * They are an area of their own, since a session that shares no cache may count
 * without ever having one. They are atomics, and need no lock.
 */
#include "postgres.h"

#include "port/atomics.h"
#include "shared/cache_drops.h"
#include "shared/shared.h"

#define NPLACES 1024

typedef struct Drops
{
	pg_atomic_uint32 counts[NPLACES];
} Drops;

Size
iotdata_cache_drops_area_size(void)
{
	return sizeof(Drops);
}

void
iotdata_cache_drops_area_init(void *memory, Size size)
{
	Drops	   *drops = memory;

	for (int i = 0; i < NPLACES; i++)
		pg_atomic_init_u32(&drops->counts[i], 0);
}

static pg_atomic_uint32 *
count_at(uint32 place)
{
	Drops	   *drops = iotdata_shared_area(IOTDATA_SHARED_CACHE_DROPS);

	return &drops->counts[place];
}

IotDataCacheDrops
iotdata_cache_drops(uint64 subject)
{
	uint32		place = (uint32) (subject % NPLACES);

	return (IotDataCacheDrops) {place, pg_atomic_read_u32(count_at(place))};
}

bool
iotdata_cache_drops_are(const IotDataCacheDrops *drops)
{
	return pg_atomic_read_u32(count_at(drops->place)) == drops->count;
}

void
iotdata_cache_note_drop(uint64 subject)
{
	pg_atomic_fetch_add_u32(count_at((uint32) (subject % NPLACES)), 1);
}
