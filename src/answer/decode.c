/*
 * decode.c
 *		From a JSON object of an answer to the columns of a row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "answer/answer.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include <arpa/inet.h>
#include <math.h>

/* doubles hold every integer up to this one */
#define MAX_EXACT_INTEGER 9007199254740992.0

/* A whole number, also when it is written 1.5e3. */
static bool
whole_number(IotDataJsonValue value, int64 *number)
{
	if (value.type == IOTDATA_JSON_INTEGER)
	{
		*number = value.integer;
		return true;
	}
	if (value.type != IOTDATA_JSON_REAL || value.real != floor(value.real) ||
		fabs(value.real) > MAX_EXACT_INTEGER)
		return false;
	*number = (int64) value.real;
	return true;
}

static const char *
to_boolean(IotDataJsonValue value, Datum *datum)
{
	if (value.type != IOTDATA_JSON_BOOLEAN)
		return "a boolean";
	*datum = BoolGetDatum(value.boolean);
	return NULL;
}

static const char *
to_text(IotDataJsonValue value, Datum *datum)
{
	char	   *text;

	if (value.type != IOTDATA_JSON_STRING)
		return "a string";
	text = pg_any_to_server(value.string, (int) value.length, PG_UTF8);
	*datum = CStringGetTextDatum(text);
	return NULL;
}

static const char *
to_int2(IotDataJsonValue value, Datum *datum)
{
	int64		number;

	if (!whole_number(value, &number) || number < PG_INT16_MIN || number > PG_INT16_MAX)
		return "an integer of 16 bits";
	*datum = Int16GetDatum((int16) number);
	return NULL;
}

static const char *
to_int4(IotDataJsonValue value, Datum *datum)
{
	int64		number;

	if (!whole_number(value, &number) || number < PG_INT32_MIN || number > PG_INT32_MAX)
		return "an integer of 32 bits";
	*datum = Int32GetDatum((int32) number);
	return NULL;
}

/* Seconds. They stay seconds: a day can be 23 hours long. */
static const char *
to_interval(IotDataJsonValue value, Datum *datum)
{
	int64		seconds;
	Interval   *interval;

	if (!whole_number(value, &seconds) || seconds < 0 ||
		seconds > PG_INT64_MAX / USECS_PER_SEC)
		return "a number of seconds";
	interval = palloc0(sizeof(*interval));
	interval->time = seconds * USECS_PER_SEC;
	*datum = IntervalPGetDatum(interval);
	return NULL;
}

/* Milliseconds of Unix time. */
static const char *
to_timestamptz(IotDataJsonValue value, Datum *datum)
{
	const int64 epoch = ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)) * USECS_PER_DAY;
	int64		milliseconds;

	if (!whole_number(value, &milliseconds) ||
		milliseconds >= END_TIMESTAMP / 1000 ||
		milliseconds < MIN_TIMESTAMP / 1000 + epoch / 1000)
		return "a time in milliseconds";
	*datum = TimestampTzGetDatum(milliseconds * 1000 - epoch);
	return NULL;
}

static const char *
to_inet(IotDataJsonValue value, Datum *datum)
{
	struct in6_addr address;

	if (value.type != IOTDATA_JSON_STRING ||
		(inet_pton(AF_INET, value.string, &address) != 1 &&
		 inet_pton(AF_INET6, value.string, &address) != 1))
		return "an IP address";
	*datum = DirectFunctionCall1(inet_in, CStringGetDatum(value.string));
	return NULL;
}

static const struct
{
	Oid			type;

	/* NULL when it went well, else what the value should have been */
	const char *(*convert) (IotDataJsonValue value, Datum *datum);
}			converters[] =
{
	{BOOLOID, to_boolean},
	{TEXTOID, to_text},
	{INT2OID, to_int2},
	{INT4OID, to_int4},
	{INTERVALOID, to_interval},
	{TIMESTAMPTZOID, to_timestamptz},
	{INETOID, to_inet},
};

static const char *
convert(IotDataJsonValue value, Oid type, Datum *datum)
{
	for (size_t i = 0; i < lengthof(converters); i++)
	{
		if (converters[i].type == type)
			return converters[i].convert(value, datum);
	}
	return "of the type of its column";
}

/* The values of a row's columns, in the current memory context. */
static void
decode(const IotDataAnswer *answer, const IotDataJsonValue *fields,
	   TupleDesc columns, Datum *values, bool *nulls)
{
	const IotDataOperation *operation = answer->request->operation;

	if (columns->natts != operation->nfields)
		iotdata_answer_refuse(answer, "its row type has another number of columns");
	for (int i = 0; i < operation->nfields; i++)
	{
		const char *expected;

		values[i] = (Datum) 0;
		nulls[i] = false;
		if (operation->fields[i] == IOTDATA_FIELD_OBSERVED_AT)
		{
			values[i] = TimestampTzGetDatum(answer->observed_at);
			continue;
		}
		nulls[i] = fields[i].type == IOTDATA_JSON_MISSING || fields[i].type == IOTDATA_JSON_NULL;
		if (nulls[i])
			continue;
		expected = convert(fields[i], TupleDescAttr(columns, i)->atttypid, &values[i]);
		if (expected != NULL)
			iotdata_answer_refuse(answer, psprintf("\"%s\" is not %s",
												   operation->fields[i], expected));
	}
}

HeapTuple
iotdata_answer_row(const IotDataAnswer *answer, const IotDataJsonValue *fields,
				   TupleDesc columns, MemoryContext result)
{
	Datum		values[IOTDATA_MAX_FIELDS];
	bool		nulls[IOTDATA_MAX_FIELDS];
	MemoryContext caller;
	HeapTuple	row;

	decode(answer, fields, columns, values, nulls);
	caller = MemoryContextSwitchTo(result);
	row = heap_form_tuple(columns, values, nulls);
	MemoryContextSwitchTo(caller);
	return row;
}
