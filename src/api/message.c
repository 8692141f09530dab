/*
 * message.c
 *		SQL functions that send a message.
 */
#include "postgres.h"

#include "api/function.h"

PG_FUNCTION_INFO_V1(iotdata_send_direct_message);

/* One function for the payload as bytea, text and jsonb. */
Datum
iotdata_send_direct_message(PG_FUNCTION_ARGS)
{
	return iotdata_function_row(fcinfo, &iotdata_operation_send_direct_message);
}
