/*
 * subscription.c
 *		SQL functions about an MQTT client's subscriptions.
 */
#include "postgres.h"

#include "api/function.h"

PG_FUNCTION_INFO_V1(iotdata_list_subscriptions);

Datum
iotdata_list_subscriptions(PG_FUNCTION_ARGS)
{
	return iotdata_function_list(fcinfo, &iotdata_operation_list_subscriptions);
}
