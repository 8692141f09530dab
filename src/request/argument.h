/*
 * argument.h
 *		Arguments of SQL functions: checked, and turned into what is sent.
 */
#ifndef IOTDATA_REQUEST_ARGUMENT_H
#define IOTDATA_REQUEST_ARGUMENT_H

#include "postgres.h"

#include "request/bytes.h"
#include "request/operation.h"

/*
 * The types of an SQL function's arguments. A function of an older version may
 * have fewer than its operation; those that it does not have are NULL.
 */
typedef struct IotDataArgumentTypes
{
	int			count;
	Oid			types[IOTDATA_MAX_ARGUMENTS];
} IotDataArgumentTypes;

/*
 * The types of "function"'s arguments. Raises 55000 when they are not what the
 * operation's arguments may have: the SQL objects and the library do not fit
 * together.
 */
extern void iotdata_argument_types(IotDataArgumentTypes *out, Oid function,
								   const IotDataOperation *operation);

/*
 * The same for the first "count" of a function's arguments, when those that
 * follow are not the operation's.
 */
extern void iotdata_argument_types_set(IotDataArgumentTypes *out, const Oid *types,
									   int count, const IotDataOperation *operation,
									   Oid function);

/*
 * The value of an argument as the API has it: text in UTF-8, booleans as
 * "true" and "false", an interval as a number of seconds, bytea as its bytes
 * (in base64 for a header), jsonb as compact JSON, json as it is. "type" is one
 * of the argument's. Allocated in the current memory context.
 *
 * Raises 22023 with the argument's name and its limit when the value breaks
 * the argument's rule, and what the conversion to UTF-8 raises.
 */
extern IotDataBytes iotdata_argument_encode(const IotDataArgument *argument,
											Datum value, Oid type);

/*
 * An interval as microseconds, with days of 24 hours and months of 30 days.
 * Raises 22023 when it is negative.
 */
extern int64 iotdata_argument_age(const IotDataArgument *argument, Datum value);

#endif							/* IOTDATA_REQUEST_ARGUMENT_H */
