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
 * The body of an SQL function that makes one call and returns its answer: as a
 * row of the function's own type or as its one value, NULL when a read finds
 * nothing, or void. The function's arguments are the operation's, in their
 * order; a function of an older version may lack the last of them, and its row
 * type columns.
 */
extern Datum iotdata_function_row(FunctionCallInfo fcinfo,
								  const IotDataOperation *operation);

/*
 * The body of an SQL function that makes one call and returns a result
 * (lookup/result.h). Raises what is not the subject's alone.
 */
extern Datum iotdata_function_result(FunctionCallInfo fcinfo,
									 const IotDataOperation *operation);

/*
 * The body of an SQL function that returns a list, a row or a value at a time.
 * One page of the list is held at once, and a page is asked for when its first
 * row is.
 */
extern Datum iotdata_function_list(FunctionCallInfo fcinfo,
								   const IotDataOperation *operation);

#endif							/* IOTDATA_API_FUNCTION_H */
