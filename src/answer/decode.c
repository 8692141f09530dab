/*
 * decode.c
 *		From the values of an answer to the columns of a row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "answer/decode.h"
#include "answer/document.h"
#include "catalog/pg_type.h"
#include "error/raise.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include <arpa/inet.h>
#include <math.h>
#include <openssl/evp.h>

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

static const char *
to_int8(IotDataJsonValue value, Datum *datum)
{
	int64		number;

	if (!whole_number(value, &number))
		return "an integer of 64 bits";
	*datum = Int64GetDatum(number);
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

/*
 * Bytes out of base64, with a NUL behind them, as a bytea. Returns NULL when it
 * is not base64.
 */
static bytea *
decode_base64(IotDataJsonValue value)
{
	size_t		padding;
	size_t		length = value.length / 4 * 3;
	bytea	   *bytes;

	if (value.type != IOTDATA_JSON_STRING || value.length % 4 != 0)
		return NULL;
	padding = value.length - strcspn(value.string, "=");
	if (padding > 2 || strspn(value.string + value.length - padding, "=") != padding)
		return NULL;
	bytes = palloc(VARHDRSZ + length + 1);
	/* it takes blanks around its input, and so reads less than it was given */
	if (EVP_DecodeBlock((unsigned char *) VARDATA(bytes),
						(const unsigned char *) value.string,
						(int) value.length) != (int) length)
		return NULL;
	length -= padding;
	VARDATA(bytes)[length] = '\0';
	SET_VARSIZE(bytes, VARHDRSZ + length);
	return bytes;
}

static const char *
to_bytea(IotDataJsonValue value, Datum *datum)
{
	bytea	   *bytes = decode_base64(value);

	if (bytes == NULL)
		return "bytes in base64";
	*datum = PointerGetDatum(bytes);
	return NULL;
}

static const char *
json_to_jsonb(IotDataJsonValue value, Datum *datum)
{
	size_t		size = iotdata_json_text_size(value);
	IotDataBuffer written;
	char	   *text;

	iotdata_buffer_init(&written, palloc(size), size);
	iotdata_json_write(&written, value);
	text = pg_any_to_server(written.data, (int) written.length, PG_UTF8);
	*datum = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
	return NULL;
}

static const char *
blob_to_jsonb(IotDataJsonValue value, Datum *datum)
{
	bytea	   *bytes = decode_base64(value);
	const char *why = "";

	if (bytes != NULL)
		value = iotdata_document_parse(VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ, &why);
	if (bytes == NULL || value.type == IOTDATA_JSON_MISSING)
		return "JSON in base64";
	return json_to_jsonb(value, datum);
}

typedef const char *(*Converter) (IotDataJsonValue value, Datum *datum);

static const struct
{
	IotDataWireType wire;
	Oid			type;

	/* NULL when it went well, else what the value should have been */
	Converter	convert;
}			converters[] =
{
	{IOTDATA_WIRE_STRING, TEXTOID, to_text},
	{IOTDATA_WIRE_STRING, INETOID, to_inet},
	{IOTDATA_WIRE_NUMBER, INT2OID, to_int2},
	{IOTDATA_WIRE_NUMBER, INT4OID, to_int4},
	{IOTDATA_WIRE_NUMBER, INT8OID, to_int8},
	{IOTDATA_WIRE_NUMBER, INTERVALOID, to_interval},
	{IOTDATA_WIRE_BOOLEAN, BOOLOID, to_boolean},
	{IOTDATA_WIRE_MILLISECONDS, TIMESTAMPTZOID, to_timestamptz},
	{IOTDATA_WIRE_BLOB, BYTEAOID, to_bytea},
	{IOTDATA_WIRE_JSON_BLOB, JSONBOID, blob_to_jsonb},
	{IOTDATA_WIRE_JSON, JSONBOID, json_to_jsonb},
};

/* What makes a column of a type out of what is on the wire; NULL: nothing. */
static Converter
find_converter(IotDataWireType wire, Oid type)
{
	for (size_t i = 0; i < lengthof(converters); i++)
	{
		if (converters[i].wire == wire && converters[i].type == type)
			return converters[i].convert;
	}
	return NULL;
}

bool
iotdata_decode_fits(const IotDataOperation *operation, TupleDesc columns)
{
	if (columns->natts > operation->ncolumns || columns->natts > IOTDATA_MAX_COLUMNS)
		return false;
	for (int i = 0; i < columns->natts; i++)
	{
		IotDataWireType type = operation->columns[i].type;
		Oid			column = TupleDescAttr(columns, i)->atttypid;

		if (type == IOTDATA_WIRE_OBSERVED_AT ? column != TIMESTAMPTZOID :
			find_converter(type, column) == NULL)
			return false;
	}
	return true;
}

static const char *
column_name(const IotDataOperation *operation, int i)
{
	const char *member = operation->columns[i].member;

	if (member != NULL)
		return psprintf("\"%s\"", member);
	return operation->items != NULL ?
		psprintf("an element of \"%s\"", operation->items) : "its body";
}

/* A column of a row; returns whether it is NULL. */
static bool
decode_column(const IotDataAnswer *answer, IotDataJsonValue value, int number, Oid type,
			  Datum *datum)
{
	const IotDataOperation *operation = answer->request->operation;
	IotDataWireType wire = operation->columns[number].type;
	const char *expected;

	if (wire == IOTDATA_WIRE_OBSERVED_AT)
	{
		*datum = TimestampTzGetDatum(answer->observed_at);
		return false;
	}
	if (value.type == IOTDATA_JSON_MISSING || value.type == IOTDATA_JSON_NULL)
		return true;
	expected = find_converter(wire, type) (value, datum);
	if (expected != NULL)
		iotdata_answer_refuse(answer, psprintf("%s is not %s",
											   column_name(operation, number), expected));
	return false;
}

void
iotdata_decode(const IotDataAnswer *answer, const IotDataJsonValue *values,
			   TupleDesc columns, const bool *needed, Datum *datums, bool *nulls)
{
	for (int i = 0; i < columns->natts; i++)
	{
		bool		is_needed = needed == NULL || needed[i];

		datums[i] = (Datum) 0;
		nulls[i] = true;
		if (is_needed || !answer->from_cache)
			nulls[i] = decode_column(answer, values[i], i, TupleDescAttr(columns, i)->atttypid,
									 &datums[i]) || !is_needed;
	}
}

HeapTuple
iotdata_decode_row(const IotDataAnswer *answer, const IotDataJsonValue *values,
				   TupleDesc columns, MemoryContext result)
{
	Datum		datums[IOTDATA_MAX_COLUMNS];
	bool		nulls[IOTDATA_MAX_COLUMNS];
	MemoryContext caller;
	HeapTuple	row;

	iotdata_decode(answer, values, columns, NULL, datums, nulls);
	caller = MemoryContextSwitchTo(result);
	row = heap_form_tuple(columns, datums, nulls);
	MemoryContextSwitchTo(caller);
	return row;
}
