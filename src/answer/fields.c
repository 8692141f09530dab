/*
 * fields.c
 *		The members of an answer that make a row, and the same as bytes.
 *
 * The bytes of a field: its type, then what the type needs. A string has its
 * length before it and a NUL behind it. They are written and read by backends
 * of one server only, so numbers are as the machine has them.
 */
#include "postgres.h"

#include "answer/fields.h"

void
iotdata_fields_read(const IotDataOperation *operation, IotDataJsonValue object,
					IotDataJsonValue fields[IOTDATA_MAX_FIELDS])
{
	for (int i = 0; i < operation->nfields; i++)
	{
		if (operation->fields[i] == IOTDATA_FIELD_OBSERVED_AT)
			fields[i].type = IOTDATA_JSON_MISSING;
		else
			fields[i] = iotdata_json_member(object, operation->fields[i]);
	}
}

/* What of a value its bytes are; NULL when it is not of a simple type. */
static const void *
content(const IotDataJsonValue *value, size_t *length)
{
	switch (value->type)
	{
		case IOTDATA_JSON_MISSING:
		case IOTDATA_JSON_NULL:
			*length = 0;
			return value;
		case IOTDATA_JSON_BOOLEAN:
			*length = sizeof(value->boolean);
			return &value->boolean;
		case IOTDATA_JSON_INTEGER:
			*length = sizeof(value->integer);
			return &value->integer;
		case IOTDATA_JSON_REAL:
			*length = sizeof(value->real);
			return &value->real;
		case IOTDATA_JSON_STRING:
			*length = value->length + 1;
			return value->string;
		default:
			return NULL;
	}
}

size_t
iotdata_fields_pack(const IotDataOperation *operation,
					const IotDataJsonValue *fields, char *out, size_t size)
{
	char	   *next = out;

	for (int i = 0; i < operation->nfields; i++)
	{
		size_t		length;
		const void *bytes = content(&fields[i], &length);

		if (bytes == NULL ||
			length + sizeof(length) + 1 > size - (size_t) (next - out))
			return 0;
		*next++ = (char) fields[i].type;
		if (fields[i].type == IOTDATA_JSON_STRING)
		{
			memcpy(next, &fields[i].length, sizeof(fields[i].length));
			next += sizeof(fields[i].length);
		}
		memcpy(next, bytes, length);
		next += length;
	}
	return (size_t) (next - out);
}

static const char *
take(void *into, const char *from, size_t length)
{
	memcpy(into, from, length);
	return from + length;
}

void
iotdata_fields_unpack(const IotDataOperation *operation, const char *bytes,
					  IotDataJsonValue fields[IOTDATA_MAX_FIELDS])
{
	for (int i = 0; i < operation->nfields; i++)
	{
		IotDataJsonValue *value = &fields[i];

		value->type = (IotDataJsonType) *bytes++;
		switch (value->type)
		{
			case IOTDATA_JSON_BOOLEAN:
				bytes = take(&value->boolean, bytes, sizeof(value->boolean));
				break;
			case IOTDATA_JSON_INTEGER:
				bytes = take(&value->integer, bytes, sizeof(value->integer));
				break;
			case IOTDATA_JSON_REAL:
				bytes = take(&value->real, bytes, sizeof(value->real));
				break;
			case IOTDATA_JSON_STRING:
				bytes = take(&value->length, bytes, sizeof(value->length));
				value->string = bytes;
				bytes += value->length + 1;
				break;
			default:
				break;
		}
	}
}
