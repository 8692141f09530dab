/*
 * cache.c
 *		The SQL function that drops the kept answers.
 */
#include "postgres.h"

#include "fmgr.h"
#include "shared/cache.h"

PG_FUNCTION_INFO_V1(iotdata_forget_connections);

Datum
iotdata_forget_connections(PG_FUNCTION_ARGS)
{
	iotdata_kept_forget();
	PG_RETURN_VOID();
}
