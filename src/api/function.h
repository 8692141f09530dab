/*
 * function.h
 *		What all SQL functions that make a call have in common.
 */
#ifndef IOTDATA_API_FUNCTION_H
#define IOTDATA_API_FUNCTION_H

#include "postgres.h"

#include "fmgr.h"
#include "request/operation.h"

/*
 * The body of an SQL function that makes one call and returns its answer as a
 * row: of the function's own row type, or NULL when a read finds nothing. For
 * an operation without fields the function returns void. The function's
 * arguments are the operation's, in their order.
 */
extern Datum iotdata_function_row(FunctionCallInfo fcinfo,
								  const IotDataOperation *operation);

/*
 * The body of an SQL function that returns a list, a row at a time. One page
 * of the list is held at once, and a page is asked for when its first row is.
 */
extern Datum iotdata_function_list(FunctionCallInfo fcinfo,
								   const IotDataOperation *operation);

/* The C functions of reading SQL functions: they are known by these. */
extern Datum iotdata_get_connection(PG_FUNCTION_ARGS);
extern Datum iotdata_list_subscriptions(PG_FUNCTION_ARGS);

#endif							/* IOTDATA_API_FUNCTION_H */
