/*
 * argument.c
 *		Arguments of SQL functions: checked, and turned into what is sent.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "error/raise.h"
#include "mb/pg_wchar.h"
#include "request/argument.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include <openssl/evp.h>

#define MAX_SLASHES 7			/* in a topic: eight levels */

/* An argument that breaks its rule: what it must be, and how it is not. */
static void
refuse(const char *message)
{
	IotDataFailure failure = {
		.sqlstate = ERRCODE_INVALID_PARAMETER_VALUE,
		.message = message,
	};

	iotdata_raise(&failure);
}

static void
check_length(const IotDataArgument *argument, IotDataBytes bytes)
{
	if (bytes.length >= argument->min && bytes.length <= argument->max)
		return;
	if (argument->min > 0)
		refuse(psprintf("%s must be %zu to %zu bytes long, not %zu",
						argument->name, argument->min, argument->max,
						bytes.length));
	refuse(psprintf("%s must be at most %zu bytes long, not %zu",
					argument->name, argument->max, bytes.length));
}

static void
check_one_line(const IotDataArgument *argument, IotDataBytes bytes)
{
	check_length(argument, bytes);
	if (strpbrk(bytes.data, "\r\n") != NULL)
		refuse(psprintf("%s must not contain a line break", argument->name));
}

static void
check_no_dollar(const IotDataArgument *argument, IotDataBytes bytes)
{
	if (bytes.data[0] == '$')
		refuse(psprintf("%s must not begin with \"$\"", argument->name));
}

static void
check_client_id(const IotDataArgument *argument, IotDataBytes bytes)
{
	check_length(argument, bytes);
	check_no_dollar(argument, bytes);
	/* HTTP software takes these for steps in the path */
	if (strcmp(bytes.data, ".") == 0 || strcmp(bytes.data, "..") == 0)
		refuse(psprintf("%s must not be \".\" or \"..\"", argument->name));
}

static void
check_response_topic(const IotDataArgument *argument, IotDataBytes bytes)
{
	check_one_line(argument, bytes);
	if (strpbrk(bytes.data, "+#") != NULL)
		refuse(psprintf("%s must not contain the wildcards \"+\" and \"#\"",
						argument->name));
}

static void
check_topic(const IotDataArgument *argument, IotDataBytes bytes)
{
	int			slashes = 0;

	check_response_topic(argument, bytes);
	check_no_dollar(argument, bytes);
	for (size_t i = 0; i < bytes.length; i++)
		slashes += bytes.data[i] == '/';
	if (slashes > MAX_SLASHES)
		refuse(psprintf("%s must have at most %d slashes, not %d",
						argument->name, MAX_SLASHES, slashes));
}

static void
check_text(const IotDataArgument *argument, IotDataBytes bytes)
{
	switch (argument->rule)
	{
		case IOTDATA_RULE_CLIENT_ID:
			check_client_id(argument, bytes);
			break;
		case IOTDATA_RULE_TOPIC:
			check_topic(argument, bytes);
			break;
		case IOTDATA_RULE_RESPONSE_TOPIC:
			check_response_topic(argument, bytes);
			break;
		case IOTDATA_RULE_ONE_LINE:
			check_one_line(argument, bytes);
			break;
		case IOTDATA_RULE_BYTES:
			check_length(argument, bytes);
			break;
		default:
			break;
	}
}

static IotDataBytes
from_string(const char *string)
{
	return (IotDataBytes) {string, strlen(string)};
}

static IotDataBytes
copy_bytes(const char *bytes, size_t length)
{
	char	   *copy = palloc(length + 1);

	memcpy(copy, bytes, length);
	copy[length] = '\0';
	return (IotDataBytes) {copy, length};
}

IotDataBytes
iotdata_text_to_utf8(const char *text, size_t length)
{
	char	   *utf8 = pg_server_to_any(text, (int) length, PG_UTF8);

	/* it returns its argument when there is nothing to convert */
	if (utf8 == text)
		return copy_bytes(text, length);
	return from_string(utf8);
}

static IotDataBytes
encode_number(const IotDataArgument *argument, int32 number)
{
	if (number < (int) argument->min || number > (int) argument->max)
		refuse(psprintf("%s must be from %zu to %zu, not %d", argument->name,
						argument->min, argument->max, number));
	return from_string(psprintf("%d", number));
}

static IotDataBytes
encode_seconds(const IotDataArgument *argument, const Interval *interval)
{
	/* days and months are longer than any limit, negative ones no better */
	bool		whole = interval->month == 0 && interval->day == 0 &&
		interval->time % USECS_PER_SEC == 0;
	int64		seconds = interval->time / USECS_PER_SEC;

	if (!whole || seconds < (int64) argument->min ||
		seconds > (int64) argument->max)
		refuse(psprintf("%s must be a whole number of seconds from %zu to %zu",
						argument->name, argument->min, argument->max));
	return from_string(psprintf("%d", (int) seconds));
}

int64
iotdata_argument_age(const IotDataArgument *argument, Datum value)
{
	const Interval *interval = DatumGetIntervalP(value);
	double		age = (double) interval->time +
		(double) USECS_PER_DAY * (interval->day + (double) DAYS_PER_MONTH * interval->month);

	if (age < 0)
		refuse(psprintf("%s must not be negative", argument->name));
	return age < (double) PG_INT64_MAX ? (int64) age : PG_INT64_MAX;
}

static IotDataBytes
encode_base64(IotDataBytes bytes)
{
	/* four characters for each three bytes, and a NUL */
	char	   *base64 = palloc((bytes.length + 2) / 3 * 4 + 1);
	int			length;

	length = EVP_EncodeBlock((unsigned char *) base64,
							 (const unsigned char *) bytes.data,
							 (int) bytes.length);
	return (IotDataBytes) {base64, length};
}

static IotDataBytes
encode_user_properties(const IotDataArgument *argument, Datum value)
{
	IotDataBytes json;
	size_t		size;

	if (!iotdata_user_properties_encode(value, &json, &size))
		refuse(psprintf("%s must be {\"name\": \"value\", ...} or [{\"name\": \"value\"}, ...], with strings as values",
						argument->name));
	if (size > argument->max)
		refuse(psprintf("%s must have at most %zu bytes of names and values, not %zu",
						argument->name, argument->max, size));
	return json;
}

static IotDataBytes
encode_jsonb(const IotDataArgument *argument, Datum value)
{
	Jsonb	   *jsonb = DatumGetJsonbP(value);
	char	   *text;

	if (argument->rule == IOTDATA_RULE_USER_PROPERTIES)
		return encode_user_properties(argument, value);
	text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	return iotdata_text_to_utf8(text, strlen(text));
}

static IotDataBytes
encode_by_type(const IotDataArgument *argument, Datum value, Oid type)
{
	struct varlena *bytes;

	switch (type)
	{
		case BOOLOID:
			return from_string(DatumGetBool(value) ? "true" : "false");
		case INT4OID:
			return encode_number(argument, DatumGetInt32(value));
		case INTERVALOID:
			return encode_seconds(argument, DatumGetIntervalP(value));
		case TEXTOID:
			bytes = PG_DETOAST_DATUM_PACKED(value);
			return iotdata_text_to_utf8(VARDATA_ANY(bytes),
										VARSIZE_ANY_EXHDR(bytes));
		case BYTEAOID:
			bytes = PG_DETOAST_DATUM_PACKED(value);
			return copy_bytes(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
		case JSONBOID:
			return encode_jsonb(argument, value);
		default:				/* an enum of ours: its label */
			return from_string(DatumGetCString(DirectFunctionCall1(enum_out,
																   value)));
	}
}

IotDataBytes
iotdata_argument_encode(const IotDataArgument *argument, Datum value, Oid type)
{
	IotDataBytes bytes = encode_by_type(argument, value, type);

	check_text(argument, bytes);
	if (argument->location == IOTDATA_LOCATION_HEADER &&
		(type == BYTEAOID || type == JSONBOID))
		return encode_base64(bytes);
	return bytes;
}
