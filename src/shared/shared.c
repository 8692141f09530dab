/*
 * shared.c
 *		Memory that all backends of the cluster have in common, or a backend's
 *		own in its place.
 *
 * Preloaded: one region of main shared memory, the areas one after the other,
 * and a lock for each; then those of partitions. The postmaster lays it out before it starts anything,
 * and again after a crash. A backend knows the region by addresses of its own
 * (memory, locks); no address is ever written into the region.
 *
 * Not preloaded: each area is allocated by itself when it is first asked for,
 * so that a backend that keeps no answers has no memory for them.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "shared/shared.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define REGION_NAME "iotdata"

#define NLOCKS (IOTDATA_SHARED_NAREAS + IOTDATA_SHARED_NPARTITIONS)

/* decided at load */
static const IotDataSharedAreaType *area_types;
static bool preloaded = false;

/* this process's addresses: NULL until the region, or the area, is there */
static void *memory[IOTDATA_SHARED_NAREAS];
static LWLockPadded *locks = NULL;

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

/* Areas have cache lines of their own: other backends are busy in the next. */
static Size
room_for(int area)
{
	return CACHELINEALIGN(area_types[area].size());
}

static Size
region_size(void)
{
	Size		size = 0;

	for (int area = 0; area < IOTDATA_SHARED_NAREAS; area++)
		size = add_size(size, room_for(area));
	return size;
}

static void
request_region(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(region_size());
	RequestNamedLWLockTranche(REGION_NAME, NLOCKS);
}

/*
 * Find the region, or lay it out. A process that was not forked from one that
 * knows its addresses comes here, too, and finds it made.
 */
static void
start_region(void)
{
	char	   *region;
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	region = ShmemInitStruct(REGION_NAME, region_size(), &found);
	for (int area = 0; area < IOTDATA_SHARED_NAREAS; area++)
	{
		memory[area] = region;
		if (!found)
			area_types[area].init(region,
								  area_types[area].size());
		region += room_for(area);
	}
	locks = GetNamedLWLockTranche(REGION_NAME);
	LWLockRelease(AddinShmemInitLock);
}

void
iotdata_shared_init(const IotDataSharedAreaType *areas)
{
	area_types = areas;
	if (!process_shared_preload_libraries_in_progress)
		return;
	preloaded = true;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_region;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_region;
}

bool
iotdata_shared_is_preloaded(void)
{
	return preloaded;
}

void *
iotdata_shared_area(IotDataSharedArea area)
{
	if (unlikely(memory[area] == NULL))
	{
		const IotDataSharedAreaType *type = &area_types[area];
		Size		size = type->size();
		void	   *own;

		Assert(!preloaded);
		own = MemoryContextAllocHuge(TopMemoryContext, size);
		type->init(own, size);
		memory[area] = own;
	}
	return memory[area];
}

bool
iotdata_shared_has_area(IotDataSharedArea area)
{
	return memory[area] != NULL;
}

void
iotdata_shared_lock(IotDataSharedArea area, LWLockMode mode)
{
	if (preloaded)
		LWLockAcquire(&locks[area].lock, mode);
}

void
iotdata_shared_unlock(IotDataSharedArea area)
{
	if (preloaded)
		LWLockRelease(&locks[area].lock);
}

void
iotdata_shared_lock_partition(int partition, LWLockMode mode)
{
	if (preloaded)
		LWLockAcquire(&locks[IOTDATA_SHARED_NAREAS + partition].lock, mode);
}

void
iotdata_shared_unlock_partition(int partition)
{
	if (preloaded)
		LWLockRelease(&locks[IOTDATA_SHARED_NAREAS + partition].lock);
}
