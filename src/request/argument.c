/*
 * argument.c
 *		Arguments of SQL functions: checked, and turned into what is sent.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "datatype/timestamp.h"
#include "error/raise.h"
#include "mb/pg_wchar.h"
#include "request/argument.h"
#include "request/user_properties.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/timestamp.h"

#define MAX_SLASHES 7			/* in a topic: eight levels */

/* ---- types ---- */

/* The bit of a type; 0 for one that no argument may have. */
static int
type_bit(Oid type)
{
	switch (type)
	{
		case TEXTOID:
			return IOTDATA_TYPE_TEXT;
		case BYTEAOID:
			return IOTDATA_TYPE_BYTEA;
		case BOOLOID:
			return IOTDATA_TYPE_BOOLEAN;
		case INT4OID:
			return IOTDATA_TYPE_INTEGER;
		case INTERVALOID:
			return IOTDATA_TYPE_INTERVAL;
		case JSONOID:
			return IOTDATA_TYPE_JSON;
		case JSONBOID:
			return IOTDATA_TYPE_JSONB;
		case NAMEOID:
			return IOTDATA_TYPE_NAME;
		default:
			return type_is_enum(type) ? IOTDATA_TYPE_ENUM : 0;
	}
}

void
iotdata_argument_types(IotDataArgumentTypes *out, Oid function,
					   const IotDataOperation *operation)
{
	Oid		   *types;
	int			count;

	get_func_signature(function, &types, &count);
	iotdata_argument_types_set(out, types, count, operation, function);
	pfree(types);
}

void
iotdata_argument_types_set(IotDataArgumentTypes *out, const Oid *types, int count,
						   const IotDataOperation *operation, Oid function)
{
	bool		fit = count <= operation->narguments && count <= IOTDATA_MAX_ARGUMENTS;

	out->count = count;
	for (int i = 0; fit && i < count; i++)
	{
		out->types[i] = types[i];
		fit = (operation->arguments[i].types & type_bit(types[i])) != 0;
	}
	if (!fit)
		iotdata_raise_version(format_procedure(function));
}

/* ---- rules ---- */

static void
check_length(const IotDataArgument *argument, IotDataBytes bytes)
{
	if (bytes.length >= argument->min && bytes.length <= argument->max)
		return;
	if (argument->min > 0)
		iotdata_raise_argument(psprintf("%s must be %zu to %zu bytes long, not %zu",
										argument->name, argument->min, argument->max,
										bytes.length));
	iotdata_raise_argument(psprintf("%s must be at most %zu bytes long, not %zu",
									argument->name, argument->max, bytes.length));
}

static void
check_one_line(const IotDataArgument *argument, IotDataBytes bytes)
{
	check_length(argument, bytes);
	if (strpbrk(bytes.data, "\r\n") != NULL)
		iotdata_raise_argument(psprintf("%s must not contain a line break", argument->name));
}

static void
check_no_dollar(const IotDataArgument *argument, IotDataBytes bytes)
{
	if (bytes.data[0] == '$')
		iotdata_raise_argument(psprintf("%s must not begin with \"$\"", argument->name));
}

static void
check_client_id(const IotDataArgument *argument, IotDataBytes bytes)
{
	check_length(argument, bytes);
	check_no_dollar(argument, bytes);
	/* HTTP software takes these for steps in the path */
	if (strcmp(bytes.data, ".") == 0 || strcmp(bytes.data, "..") == 0)
		iotdata_raise_argument(psprintf("%s must not be \".\" or \"..\"", argument->name));
}

static void
check_response_topic(const IotDataArgument *argument, IotDataBytes bytes)
{
	check_one_line(argument, bytes);
	if (strpbrk(bytes.data, "+#") != NULL)
		iotdata_raise_argument(psprintf("%s must not contain the wildcards \"+\" and \"#\"",
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
		iotdata_raise_argument(psprintf("%s must have at most %d slashes, not %d",
										argument->name, MAX_SLASHES, slashes));
}

static void
check_rule(const IotDataArgument *argument, IotDataBytes bytes)
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
		case IOTDATA_RULE_USER_PROPERTIES:
			break;				/* measured while they are encoded */
	}
}

/* What goes into a header as it is must not end it. */
static void
check_header(const IotDataArgument *argument, IotDataBytes bytes)
{
	for (size_t i = 0; i < bytes.length; i++)
	{
		if ((unsigned char) bytes.data[i] < ' ' || bytes.data[i] == 0x7f)
			iotdata_raise_argument(psprintf("%s must not contain control characters",
											argument->name));
	}
}

/* ---- values ---- */

static IotDataBytes
from_string(const char *string)
{
	return (IotDataBytes) {string, strlen(string)};
}

static IotDataBytes
encode_number(const IotDataArgument *argument, int32 number)
{
	if (number < (int) argument->min || number > (int) argument->max)
		iotdata_raise_argument(psprintf("%s must be from %zu to %zu, not %d", argument->name,
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
		iotdata_raise_argument(psprintf("%s must be a whole number of seconds from %zu to %zu",
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
		iotdata_raise_argument(psprintf("%s must not be negative", argument->name));
	return age < (double) PG_INT64_MAX ? (int64) age : PG_INT64_MAX;
}

static IotDataBytes
encode_user_properties(const IotDataArgument *argument, Datum value)
{
	IotDataBytes json;
	size_t		size;

	if (!iotdata_user_properties_encode(value, &json, &size))
		iotdata_raise_argument(psprintf("%s must be {\"name\": \"value\", ...} or [{\"name\": \"value\"}, ...], with strings as values",
										argument->name));
	if (size > argument->max)
		iotdata_raise_argument(psprintf("%s must take at most %zu bytes in MQTT (names, values, and 5 bytes for each property), not %zu",
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
	return iotdata_bytes_from_text(text, strlen(text));
}

static IotDataBytes
encode_text(Datum value)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	return iotdata_bytes_from_text(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
}

static IotDataBytes
encode_bytea(Datum value)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

	return iotdata_bytes_copy(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

/* What has a length is held against the argument's rule. */
static IotDataBytes
check(const IotDataArgument *argument, IotDataBytes bytes)
{
	check_rule(argument, bytes);
	return bytes;
}

static IotDataBytes
encode_by_type(const IotDataArgument *argument, Datum value, Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return from_string(DatumGetBool(value) ? "true" : "false");
		case INT4OID:
			return encode_number(argument, DatumGetInt32(value));
		case INTERVALOID:
			return encode_seconds(argument, DatumGetIntervalP(value));
		case TEXTOID:
		case JSONOID:
			return check(argument, encode_text(value));
		case BYTEAOID:
			return check(argument, encode_bytea(value));
		case JSONBOID:
			return check(argument, encode_jsonb(argument, value));
		default:				/* an enum: its label */
			return from_string(DatumGetCString(DirectFunctionCall1(enum_out,
																   value)));
	}
}

IotDataBytes
iotdata_argument_encode(const IotDataArgument *argument, Datum value, Oid type)
{
	IotDataBytes bytes = encode_by_type(argument, value, type);

	if (argument->location != IOTDATA_LOCATION_HEADER)
		return bytes;
	if (type == BYTEAOID || type == JSONBOID)
		return iotdata_bytes_to_base64(bytes);
	check_header(argument, bytes);
	return bytes;
}
