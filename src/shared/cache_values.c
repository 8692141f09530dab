/*
 * cache_values.c
 *		The values that a row is made of, in few bytes.
 *
 * First, how many bytes their strings need when they are read. Then the kind of
 * each value in four bits, and then, in the same order, what some kinds have
 * besides: an integer is zigzag-encoded, so that small ones are short whatever
 * their sign, and written seven bits to a byte, as all lengths are. A number with
 * a fraction is as the machine has it. A string has its length before it; one that
 * occurs in the request (the client ID mostly does), its place and length.
 *
 * A general compressor finds less in a hundred bytes than that, and takes a
 * microsecond or more to read them again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "shared/cache_values.h"

typedef enum Kind
{
	KIND_MISSING,
	KIND_NULL,
	KIND_FALSE,
	KIND_TRUE,
	KIND_INTEGER,
	KIND_REAL,
	KIND_STRING,
	KIND_REQUEST_STRING
} Kind;

/* of which a place and a length have seven bits each */
#define MAX_PLACE 127

typedef struct Writer
{
	char	   *next;
	char	   *end;
	bool		failed;
} Writer;

static void
put_bytes(Writer *writer, const void *bytes, size_t length)
{
	if (writer->failed || length > (size_t) (writer->end - writer->next))
	{
		writer->failed = true;
		return;
	}
	memcpy(writer->next, bytes, length);
	writer->next += length;
}

static void
put_number(Writer *writer, uint64_t number)
{
	unsigned char bytes[10];
	size_t		length = 0;

	while (number > 0x7f)
	{
		bytes[length++] = (unsigned char) (number | 0x80);
		number >>= 7;
	}
	bytes[length++] = (unsigned char) number;
	put_bytes(writer, bytes, length);
}

static uint64_t
get_number(const char **next)
{
	uint64_t	number = 0;
	unsigned char byte;

	for (int shift = 0;; shift += 7)
	{
		byte = (unsigned char) *(*next)++;
		number |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
}

static uint64_t
zigzag(int64_t number)
{
	return ((uint64_t) number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}

static int64_t
unzigzag(uint64_t number)
{
	return (int64_t) ((number >> 1) ^ (0 - (number & 1)));
}

/* Where in the request the string is; NULL: nowhere, or not worth it. */
static const char *
find_in_request(const IotDataJsonValue *value, const char *request, size_t length)
{
	const char *place;

	if (value->length < 2 || value->length > MAX_PLACE)
		return NULL;
	/* what comes later cannot be said */
	if (length > MAX_PLACE + value->length)
		length = MAX_PLACE + value->length;
	for (place = request; place + value->length <= request + length; place++)
		if (memcmp(place, value->string, value->length) == 0)
			return place;
	return NULL;
}

/* Returns -1 when the value is not a simple one. */
static int
kind_of(const IotDataJsonValue *value, const char *request, size_t length)
{
	switch (value->type)
	{
		case IOTDATA_JSON_MISSING:
			return KIND_MISSING;
		case IOTDATA_JSON_NULL:
			return KIND_NULL;
		case IOTDATA_JSON_BOOLEAN:
			return value->boolean ? KIND_TRUE : KIND_FALSE;
		case IOTDATA_JSON_INTEGER:
			return KIND_INTEGER;
		case IOTDATA_JSON_REAL:
			return KIND_REAL;
		case IOTDATA_JSON_STRING:
			return find_in_request(value, request, length) != NULL ?
				KIND_REQUEST_STRING : KIND_STRING;
		default:
			return -1;
	}
}

static void
put_content(Writer *writer, const IotDataJsonValue *value, Kind kind,
			const char *request, size_t request_length)
{
	switch (kind)
	{
		case KIND_INTEGER:
			put_number(writer, zigzag(value->integer));
			break;
		case KIND_REAL:
			put_bytes(writer, &value->real, sizeof(value->real));
			break;
		case KIND_STRING:
			put_number(writer, value->length);
			put_bytes(writer, value->string, value->length);
			break;
		case KIND_REQUEST_STRING:
			put_number(writer, (uint64_t) (find_in_request(value, request, request_length) - request));
			put_number(writer, value->length);
			break;
		default:
			break;
	}
}

size_t
iotdata_cache_pack(const IotDataJsonValue *values, int nvalues,
				   const char *request, size_t request_length,
				   char *out, size_t size)
{
	Writer		writer = {out, out + size, false};
	size_t		strings = 0;
	unsigned char *kinds;

	for (int i = 0; i < nvalues; i++)
		if (values[i].type == IOTDATA_JSON_STRING)
			strings += values[i].length + 1;
	put_number(&writer, strings);
	kinds = (unsigned char *) writer.next;
	for (int i = 0; i < (nvalues + 1) / 2; i++)
		put_bytes(&writer, "", 1);
	for (int i = 0; i < nvalues && !writer.failed; i++)
	{
		int			kind = kind_of(&values[i], request, request_length);

		if (kind < 0)
			return 0;
		kinds[i / 2] |= (unsigned char) (kind << (i % 2 * 4));
		put_content(&writer, &values[i], (Kind) kind, request, request_length);
	}
	return writer.failed ? 0 : (size_t) (writer.next - out);
}

size_t
iotdata_cache_unpacked_size(const char *packed)
{
	return get_number(&packed);
}

/* A string's bytes, put behind those before it. */
static void
take_string(IotDataJsonValue *value, const char *bytes, size_t length,
			char **strings)
{
	value->type = IOTDATA_JSON_STRING;
	value->length = length;
	value->string = *strings;
	memcpy(*strings, bytes, length);
	(*strings)[length] = '\0';
	*strings += length + 1;
}

static void
unpack_value(IotDataJsonValue *value, Kind kind, const char **next,
			 const char *request, char **strings)
{
	const char *place;
	size_t		length;

	switch (kind)
	{
		case KIND_MISSING:
			value->type = IOTDATA_JSON_MISSING;
			break;
		case KIND_NULL:
			value->type = IOTDATA_JSON_NULL;
			break;
		case KIND_FALSE:
		case KIND_TRUE:
			value->type = IOTDATA_JSON_BOOLEAN;
			value->boolean = kind == KIND_TRUE;
			break;
		case KIND_INTEGER:
			value->type = IOTDATA_JSON_INTEGER;
			value->integer = unzigzag(get_number(next));
			break;
		case KIND_REAL:
			value->type = IOTDATA_JSON_REAL;
			memcpy(&value->real, *next, sizeof(value->real));
			*next += sizeof(value->real);
			break;
		case KIND_STRING:
			length = get_number(next);
			take_string(value, *next, length, strings);
			*next += length;
			break;
		case KIND_REQUEST_STRING:
			place = request + get_number(next);
			length = get_number(next);
			take_string(value, place, length, strings);
			break;
	}
}

void
iotdata_cache_unpack(const char *packed, const char *request,
					 IotDataJsonValue *values, int nvalues, char *strings)
{
	const unsigned char *kinds;
	const char *next = packed;

	(void) get_number(&next);
	kinds = (const unsigned char *) next;
	next += (nvalues + 1) / 2;
	for (int i = 0; i < nvalues; i++)
		unpack_value(&values[i], (Kind) (kinds[i / 2] >> (i % 2 * 4) & 0xf),
					 &next, request, &strings);
}
