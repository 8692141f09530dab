/*
 * message.c
 *		SQL functions that send a message.
 */
#include "postgres.h"

#include "api/function.h"

PG_FUNCTION_INFO_V1(iotdata_send_direct_message);
PG_FUNCTION_INFO_V1(iotdata_send_direct_message_1_2);

/* One function for the payload as bytea, text, json and jsonb. */
Datum
iotdata_send_direct_message_1_2(PG_FUNCTION_ARGS)
{
	return iotdata_function_row(fcinfo, &iotdata_operation_send_direct_message);
}

/* That of 1.0 and 1.1, to which a payload that is NULL is an empty one. */
Datum
iotdata_send_direct_message(PG_FUNCTION_ARGS)
{
	return iotdata_function_row(fcinfo, &iotdata_operation_send_direct_message_1_0);
}
