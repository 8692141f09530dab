/*
 * connection.c
 *		SQL functions about an MQTT client's connection.
 */
#include "postgres.h"

#include "api/function.h"

PG_FUNCTION_INFO_V1(iotdata_get_connection);
PG_FUNCTION_INFO_V1(iotdata_get_connection_result);
PG_FUNCTION_INFO_V1(iotdata_delete_connection);

Datum
iotdata_get_connection(PG_FUNCTION_ARGS)
{
	return iotdata_function_row(fcinfo, &iotdata_operation_get_connection);
}

Datum
iotdata_get_connection_result(PG_FUNCTION_ARGS)
{
	return iotdata_function_result(fcinfo, &iotdata_operation_get_connection_result);
}

Datum
iotdata_delete_connection(PG_FUNCTION_ARGS)
{
	return iotdata_function_row(fcinfo, &iotdata_operation_delete_connection);
}
