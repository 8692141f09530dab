/*
 * areas.c
 *		What the shared memory consists of.
 */
#include "postgres.h"

#include "shared/areas.h"
#include "shared/cache.h"
#include "shared/cache_claims.h"
#include "shared/cache_drops.h"
#include "shared/outbox_slots.h"
#include "shared/progress.h"
#include "shared/rate.h"
#include "shared/secrets.h"
#include "shared/statistics.h"

const IotDataSharedAreaType iotdata_shared_areas[IOTDATA_SHARED_NAREAS] = {
	[IOTDATA_SHARED_RATE] = {iotdata_rate_area_size, iotdata_rate_area_init},
	[IOTDATA_SHARED_CACHE] = {iotdata_cache_area_size, iotdata_cache_area_init},
	[IOTDATA_SHARED_CACHE_CLAIMS] = {iotdata_cache_claims_area_size, iotdata_cache_claims_area_init},
	[IOTDATA_SHARED_CACHE_DROPS] = {iotdata_cache_drops_area_size, iotdata_cache_drops_area_init},
	[IOTDATA_SHARED_STATISTICS] = {iotdata_statistics_area_size, iotdata_statistics_area_init},
	[IOTDATA_SHARED_OUTBOX] = {iotdata_slots_area_size, iotdata_slots_area_init},
	[IOTDATA_SHARED_SECRETS] = {iotdata_secrets_area_size, iotdata_secrets_area_init},
	[IOTDATA_SHARED_PROGRESS] = {iotdata_progress_area_size, iotdata_progress_area_init}
};
