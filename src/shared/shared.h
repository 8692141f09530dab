/*
 * shared.h
 *		Memory that all backends of the cluster have in common.
 *
 * With the library in shared_preload_libraries it is PostgreSQL's main shared
 * memory; without, each backend makes a smaller one of its own at its first
 * call, and what is in it counts for that backend alone. Those who use it do
 * not see the difference, but for iotdata_shared_is_preloaded.
 */
#ifndef IOTDATA_SHARED_H
#define IOTDATA_SHARED_H

#include "postgres.h"

#include "storage/lwlock.h"

/* What protects which area; an area's file says what it protects. */
typedef enum IotDataSharedArea
{
	IOTDATA_SHARED_RATE,
	IOTDATA_SHARED_CACHE,
	IOTDATA_SHARED_CACHE_CLAIMS,
	IOTDATA_SHARED_CACHE_DROPS,
	IOTDATA_SHARED_STATISTICS,
	IOTDATA_SHARED_OUTBOX,
	IOTDATA_SHARED_SECRETS,
	IOTDATA_SHARED_PROGRESS
} IotDataSharedArea;

#define IOTDATA_SHARED_NAREAS 8

/* Locks for parts of the cache, beside the areas'. */
#define IOTDATA_SHARED_NPARTITIONS 128

/*
 * What an area is made by: how many bytes it needs (asked once the settings are
 * known), and what gives them their first state. That one runs before anybody
 * else sees the memory, and allocates nothing.
 */
typedef struct IotDataSharedAreaType
{
	Size		(*size) (void);
	void		(*init) (void *memory, Size size);
} IotDataSharedAreaType;

/*
 * Ask for the memory, when the library is being preloaded. Called once, at
 * load, after the settings have been declared; "areas", by IotDataSharedArea,
 * are static.
 */
extern void iotdata_shared_init(const IotDataSharedAreaType *areas);

/* Is it the whole cluster's? */
extern bool iotdata_shared_is_preloaded(void);

/*
 * An area's memory, MAXALIGNed, as its own init function left it or others
 * have since. Raises out of memory (53200) when a backend cannot have its own.
 */
extern void *iotdata_shared_area(IotDataSharedArea area);

/* Is there such an area yet, without asking for it? */
extern bool iotdata_shared_has_area(IotDataSharedArea area);

/*
 * The area's lock; nothing is locked in memory that is the backend's own. No
 * error may be raised while it is held, and nothing waited for.
 */
extern void iotdata_shared_lock(IotDataSharedArea area, LWLockMode mode);
extern void iotdata_shared_unlock(IotDataSharedArea area);

/* Likewise, the lock of a partition; nobody takes another one with it. */
extern void iotdata_shared_lock_partition(int partition, LWLockMode mode);
extern void iotdata_shared_unlock_partition(int partition);

#endif							/* IOTDATA_SHARED_H */
