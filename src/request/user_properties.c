/*
 * user_properties.c
 *		MQTT 5 user properties, from jsonb to the API's form.
 *
 * The API's form is an array of objects with one member each, because names
 * may come more than once and their order counts. A person would type one
 * object; both are taken. The JSON is written compactly.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "request/user_properties.h"
#include "utils/json.h"
#include "utils/jsonb.h"

/* of each in MQTT: its identifier, and the lengths of its name and value */
#define PROPERTY_OVERHEAD 5

typedef struct PropertyWriter
{
	StringInfoData json;
	size_t		size;			/* bytes that MQTT takes */
} PropertyWriter;

static void
write_string(PropertyWriter *writer, const JsonbValue *string)
{
	IotDataBytes utf8 = iotdata_bytes_from_text(string->val.string.val,
												string->val.string.len);

	writer->size += utf8.length;
	escape_json(&writer->json, utf8.data);
}

static void
write_property(PropertyWriter *writer, const JsonbValue *name,
			   const JsonbValue *value)
{
	writer->size += PROPERTY_OVERHEAD;
	appendStringInfoString(&writer->json, writer->json.len > 1 ? ",{" : "{");
	write_string(writer, name);
	appendStringInfoChar(&writer->json, ':');
	write_string(writer, value);
	appendStringInfoChar(&writer->json, '}');
}

/*
 * Write the members of an object, whose begin has been read. Returns how many
 * there were, -1 when one is not a string.
 */
static int
write_members(PropertyWriter *writer, JsonbIterator **iterator)
{
	JsonbValue	name;
	JsonbValue	value;
	int			count = 0;

	while (JsonbIteratorNext(iterator, &name, true) == WJB_KEY)
	{
		JsonbIteratorNext(iterator, &value, true);
		if (value.type != jbvString)
			return -1;
		write_property(writer, &name, &value);
		count++;
	}
	return count;
}

/* Write the elements of an array, each an object of one member. */
static bool
write_elements(PropertyWriter *writer, JsonbIterator **iterator)
{
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, &value, false)) == WJB_BEGIN_OBJECT)
	{
		if (write_members(writer, iterator) != 1)
			return false;
	}
	return token == WJB_END_ARRAY;
}

bool
iotdata_user_properties_encode(Datum jsonb, IotDataBytes *out, size_t *size)
{
	PropertyWriter writer = {.size = 0};
	JsonbIterator *iterator = JsonbIteratorInit(&DatumGetJsonbP(jsonb)->root);
	JsonbValue	value;
	bool		good;

	initStringInfo(&writer.json);
	appendStringInfoChar(&writer.json, '[');
	switch (JsonbIteratorNext(&iterator, &value, false))
	{
		case WJB_BEGIN_OBJECT:
			good = write_members(&writer, &iterator) >= 0;
			break;
		case WJB_BEGIN_ARRAY:
			/* a scalar is an array of one element inside */
			good = !value.val.array.rawScalar &&
				write_elements(&writer, &iterator);
			break;
		default:
			good = false;
			break;
	}
	appendStringInfoChar(&writer.json, ']');
	*out = (IotDataBytes) {writer.json.data, writer.json.len};
	*size = writer.size;
	return good;
}
