/*
 * functions.c
 *		Which SQL functions can be looked up in batches.
 *
 * They are known by their C functions, not by name. Only functions that have
 * our planner support function are looked at, and that function is also why
 * the library is there when the first query of a session is planned, before
 * any of its functions is called.
 */
#include "postgres.h"

#include "api/function.h"
#include "fmgr.h"
#include "join/join.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(iotdata_reading_support);

/* It supports nothing by itself: that it is called loads the library. */
Datum
iotdata_reading_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}

static PGFunction
address_of(Oid function)
{
	FmgrInfo	info;

	fmgr_info(function, &info);
	return info.fn_addr;
}

const IotDataOperation *
iotdata_join_operation(Oid function)
{
	static const struct
	{
		PGFunction	address;
		const IotDataOperation *operation;
	}			reading[] = {
		{iotdata_get_connection, &iotdata_operation_get_connection},
		{iotdata_list_subscriptions, &iotdata_operation_list_subscriptions},
	};
	Oid			support = get_func_support(function);
	PGFunction	address;

	if (!OidIsValid(support) || address_of(support) != iotdata_reading_support)
		return NULL;
	address = address_of(function);
	for (size_t i = 0; i < lengthof(reading); i++)
	{
		if (reading[i].address == address)
			return reading[i].operation;
	}
	return NULL;
}
