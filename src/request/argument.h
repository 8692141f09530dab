/*
 * argument.h
 *		Arguments of SQL functions: checked, and turned into what is sent.
 */
#ifndef IOTDATA_REQUEST_ARGUMENT_H
#define IOTDATA_REQUEST_ARGUMENT_H

#include "postgres.h"

#include "request/operation.h"

/* Bytes as the API wants them; a NUL, not counted, stands behind them. */
typedef struct IotDataBytes
{
	const char *data;
	size_t		length;
} IotDataBytes;

/*
 * The value of an argument as the API has it: text in UTF-8, booleans as
 * "true" and "false", an interval as a number of seconds, bytea as its bytes
 * (in base64 for a header), jsonb as compact JSON. The SQL type decides.
 * Allocated in the current memory context.
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

/* Server encoding to UTF-8. */
extern IotDataBytes iotdata_text_to_utf8(const char *text, size_t length);

/*
 * User properties in the API's form, [{"name": "value"}, ...], in UTF-8, from
 * that form or from {"name": "value", ...}. "size" gets the bytes of all names
 * and values. Returns false when it is neither form.
 */
extern bool iotdata_user_properties_encode(Datum jsonb, IotDataBytes *out,
										   size_t *size);

#endif							/* IOTDATA_REQUEST_ARGUMENT_H */
