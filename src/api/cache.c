/*
 * cache.c
 *		The SQL function that drops all cached answers.
 */
#include "postgres.h"

#include "fmgr.h"
#include "shared/cache.h"

PG_FUNCTION_INFO_V1(iotdata_cache_reset);

Datum
iotdata_cache_reset(PG_FUNCTION_ARGS)
{
	iotdata_cache_clear();
	PG_RETURN_VOID();
}
