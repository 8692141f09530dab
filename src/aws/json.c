/*
 * json.c
 *		A JSON document, and what is in it.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "aws/json.h"
#include "aws/json_parse.h"

static const IotDataJsonValue missing = {.type = IOTDATA_JSON_MISSING};

IotDataJson *
iotdata_json_parse(const char *text, size_t length, const char **why)
{
	IotDataJson *document;

	if (length >= INT_MAX)
	{
		*why = "too long";
		return NULL;
	}
	document = malloc(sizeof(*document) + length + 1);
	if (document == NULL)
	{
		*why = "out of memory";
		return NULL;
	}
	*document = (IotDataJson) {.length = length};
	memcpy(document->text, text, length);
	document->text[length] = '\0';
	*why = iotdata_json_read(document);
	if (*why == NULL)
		return document;
	iotdata_json_free(document);
	return NULL;
}

void
iotdata_json_free(IotDataJson *document)
{
	if (document == NULL)
		return;
	free(document->nodes);
	explicit_bzero(document->text, document->length);
	free(document);
}

static IotDataJsonValue
value_of(IotDataJsonNode *node)
{
	IotDataJsonValue value = {.type = node->type, .node = node};

	switch (node->type)
	{
		case IOTDATA_JSON_BOOLEAN:
			value.boolean = node->boolean;
			break;
		case IOTDATA_JSON_INTEGER:
			value.integer = node->integer;
			break;
		case IOTDATA_JSON_REAL:
			value.real = node->real;
			break;
		case IOTDATA_JSON_STRING:
			value.string = node->source + 1;
			value.length = node->length;
			break;
		case IOTDATA_JSON_ARRAY:
			value.length = node->array.count;
			break;
		default:
			break;
	}
	return value;
}

IotDataJsonValue
iotdata_json_root(const IotDataJson *document)
{
	return value_of(document->nodes);
}

IotDataJsonValue
iotdata_json_member(IotDataJsonValue object, const char *name)
{
	IotDataJsonNode *node = object.node;
	IotDataJsonNode *found = NULL;
	size_t		length = strlen(name);

	if (object.type != IOTDATA_JSON_OBJECT)
		return missing;
	for (uint32_t i = 1; i < node->span; i += 1 + node[i + 1].span)
	{
		if (node[i].length == length && memcmp(node[i].source + 1, name, length) == 0)
			found = &node[i + 1];
	}
	return found != NULL ? value_of(found) : missing;
}

IotDataJsonValue
iotdata_json_element(IotDataJsonValue array, size_t index)
{
	IotDataJsonNode *node = array.node;

	if (array.type != IOTDATA_JSON_ARRAY || index >= array.length)
		return missing;
	if (index < node->array.last || node->array.offset == 0)
	{
		node->array.last = 0;
		node->array.offset = 1;
	}
	for (; node->array.last < index; node->array.last++)
		node->array.offset += node[node->array.offset].span;
	return value_of(&node[node->array.offset]);
}

/* ---- as text ---- */

static void
write_character(IotDataBuffer *out, char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t";
	static const char escaped[] = "\"\\bfnrt";
	const char *found = strchr(plain, c);
	char		escape[] = "\\u00..";

	if (found != NULL && c != '\0')
	{
		escape[1] = escaped[found - plain];
		iotdata_buffer_append(out, escape, 2);
	}
	else if ((unsigned char) c < 0x20)
	{
		escape[4] = "0123456789abcdef"[c >> 4];
		escape[5] = "0123456789abcdef"[c & 15];
		iotdata_buffer_append(out, escape, 6);
	}
	else
		iotdata_buffer_append(out, &c, 1);
}

static void
write_string(IotDataBuffer *out, const IotDataJsonNode *node)
{
	iotdata_buffer_append(out, "\"", 1);
	for (size_t i = 0; i < node->length; i++)
		write_character(out, node->source[1 + i]);
	iotdata_buffer_append(out, "\"", 1);
}

/* Goes no deeper than a document can be nested. */
static void
write_node(IotDataBuffer *out, const IotDataJsonNode *node)
{
	bool		is_object = node->type == IOTDATA_JSON_OBJECT;

	if (node->type == IOTDATA_JSON_STRING)
		write_string(out, node);
	else if (node->type != IOTDATA_JSON_ARRAY && !is_object)
		iotdata_buffer_append(out, node->source, node->source_length);
	else
	{
		bool		is_name = is_object;

		iotdata_buffer_append(out, node->source, 1);
		for (uint32_t i = 1; i < node->span; i += node[i].span)
		{
			if (i > 1)
				iotdata_buffer_append(out, is_object && !is_name ? ":" : ",", 1);
			is_name = is_object && !is_name;
			write_node(out, &node[i]);
		}
		iotdata_buffer_append(out, is_object ? "}" : "]", 1);
	}
}

void
iotdata_json_write(IotDataBuffer *out, IotDataJsonValue value)
{
	write_node(out, value.node);
}

/* No text is longer than what was read: escapes are as short as they can be. */
size_t
iotdata_json_text_size(IotDataJsonValue value)
{
	return ((IotDataJsonNode *) value.node)->source_length + 1;
}
