/*
 * placeholder.c
 *		Functions of the next script that are written elsewhere.
 */
#include "postgres.h"

#include "fmgr.h"

PG_FUNCTION_INFO_V1(iotdata_get_connections);
PG_FUNCTION_INFO_V1(iotdata_reading_support);

Datum
iotdata_get_connections(PG_FUNCTION_ARGS)
{
	PG_RETURN_NULL();
}

Datum
iotdata_reading_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}
