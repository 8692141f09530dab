/*
 * areas.c
 *		What the shared memory consists of.
 */
#include "postgres.h"

#include "shared/cache.h"
#include "shared/rate.h"
#include "shared/shared.h"
#include "shared/statistics.h"

const IotDataSharedPartType iotdata_shared_parts[IOTDATA_SHARED_NPARTS] = {
	[IOTDATA_SHARED_RATE] = {iotdata_rate_size, iotdata_rate_init},
	[IOTDATA_SHARED_KEPT] = {iotdata_kept_size, iotdata_kept_init},
	[IOTDATA_SHARED_STATISTICS] = {iotdata_statistics_size, iotdata_statistics_init}
};
