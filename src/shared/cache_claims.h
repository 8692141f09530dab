/*
 * cache_claims.h
 *		Who is asking for what, so that several sessions that want the same ask
 *		once.
 */
#ifndef IOTDATA_SHARED_CACHE_CLAIMS_H
#define IOTDATA_SHARED_CACHE_CLAIMS_H

#include "postgres.h"

#include "shared/cache_page.h"

/* Somebody's announcement that they are asking; 0 is none. */
typedef uint64 IotDataCacheClaim;

/*
 * Announce that "holder" is about to ask: a number for those of this session who
 * work on their calls together. Returns false when another one already does, and
 * gets on; then "wait" gets the microseconds after which to look again at the
 * latest, should nobody set the latch: who asks may be stuck, and after three
 * seconds counts as gone. When there is no room for the announcement,
 * true is returned with no claim: ask all the same.
 *
 * Who waits is woken through a condition variable, by its latch: it calls
 * iotdata_cache_prepare_to_wait each time before it looks (find, claim), and
 * iotdata_cache_stop_waiting when it waits no longer. To wake is to be taken off
 * the variable's list. The end of a transaction or subtransaction by an error
 * takes a session off it, too, and so does waiting for another one.
 */
extern bool iotdata_cache_claim(const IotDataCacheKey *key, uint32 holder, int64 now,
								IotDataCacheClaim *claim, int64 *wait);

/* It was answered (and stored), or given up: wakes those who wait. */
extern void iotdata_cache_release(IotDataCacheClaim claim);

extern void iotdata_cache_prepare_to_wait(void);
extern void iotdata_cache_stop_waiting(void);

/* For areas.c: the area's size, and its first state. */
extern Size iotdata_cache_claims_area_size(void);
extern void iotdata_cache_claims_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_CACHE_CLAIMS_H */
