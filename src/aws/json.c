/*
 * json.c
 *		JSON as RFC 8259 has it, over json-c, which by itself takes more.
 *
 * json_check.c looks at the tokens first; json-c then sees to their order and
 * builds the document.
 */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "aws/json.h"
#include "aws/json_check.h"

/* json-c wants a level for the scalars within the innermost array, too. */
#define TOKENER_DEPTH (IOTDATA_JSON_MAX_DEPTH + 2)

struct IotDataJson
{
	struct json_object *root;	/* NULL for JSON's null, as json-c has it */
};

static const IotDataJsonValue missing = {.type = IOTDATA_JSON_MISSING};

/*
 * Can every real be held? One beyond the range of a double has become an
 * infinity. Goes no deeper than a document can be nested.
 */
static bool
all_finite(struct json_object *node)
{
	if (json_object_is_type(node, json_type_double))
		return isfinite(json_object_get_double(node));
	if (json_object_is_type(node, json_type_array))
	{
		size_t		length = json_object_array_length(node);

		for (size_t i = 0; i < length; i++)
		{
			if (!all_finite(json_object_array_get_idx(node, i)))
				return false;
		}
	}
	if (json_object_is_type(node, json_type_object))
	{
		struct lh_table *members = json_object_get_object(node);
		struct lh_entry *member;

		lh_foreach(members, member)
		{
			if (!all_finite(lh_entry_v(member)))
				return false;
		}
	}
	return true;
}

static const char *
explain(enum json_tokener_error error)
{
	switch (error)
	{
		case json_tokener_success:
			return NULL;
		case json_tokener_continue:
		case json_tokener_error_parse_eof:
			return "ends too early";
		case json_tokener_error_depth:
			return "nested too deeply";
		case json_tokener_error_parse_utf8_string:
			return "not valid UTF-8";
		default:
			return "not well-formed";
	}
}

static bool
is_space(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (strchr(" \t\n\r", text[i]) == NULL || text[i] == '\0')
			return false;
	}
	return true;
}

/*
 * Parse with json-c. Sets *root, or returns why not.
 *
 * Its strict mode is not used: in json-c 0.17 and 0.18 it refuses every byte
 * beyond ASCII in a string. What it would refuse is found by json_check.c, and
 * here what follows the document.
 */
static const char *
parse(struct json_object **root, const char *text, int length)
{
	struct json_tokener *tokener = json_tokener_new_ex(TOKENER_DEPTH);
	const char *why;
	size_t		end;

	if (tokener == NULL)
		return "out of memory";
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	*root = json_tokener_parse_ex(tokener, text, length);
	end = json_tokener_get_parse_end(tokener);

	/* only a NUL tells it that a number at the end is complete */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		*root = json_tokener_parse_ex(tokener, "", 1);
	why = explain(json_tokener_get_error(tokener));
	if (why == NULL && !is_space(text + end, (size_t) length - end))
		why = "not well-formed";
	json_tokener_free(tokener);
	return why;
}

IotDataJson *
iotdata_json_parse(const char *text, size_t length, const char **why)
{
	IotDataJson *document;

	*why = (length >= INT_MAX) ? "too long" : iotdata_json_check(text, length);
	if (*why != NULL)
		return NULL;
	document = malloc(sizeof(*document));
	if (document == NULL)
	{
		*why = "out of memory";
		return NULL;
	}
	document->root = NULL;
	*why = parse(&document->root, text, (int) length);
	if (*why == NULL && !all_finite(document->root))
		*why = "a number out of range";
	if (*why != NULL)
	{
		iotdata_json_free(document);
		return NULL;
	}
	return document;
}

void
iotdata_json_free(IotDataJson *document)
{
	if (document == NULL)
		return;
	json_object_put(document->root);
	free(document);
}

/* A place that exists; "node" is NULL for JSON's null. */
static IotDataJsonValue
value_of(struct json_object *node)
{
	IotDataJsonValue value = missing;

	value.type = IOTDATA_JSON_NULL;
	value.node = node;
	switch (json_object_get_type(node))
	{
		case json_type_null:
			break;
		case json_type_boolean:
			value.type = IOTDATA_JSON_BOOLEAN;
			value.boolean = json_object_get_boolean(node);
			break;
		case json_type_int:
			value.type = IOTDATA_JSON_INTEGER;
			value.integer = json_object_get_int64(node);
			break;
		case json_type_double:
			value.type = IOTDATA_JSON_REAL;
			value.real = json_object_get_double(node);
			break;
		case json_type_string:
			value.type = IOTDATA_JSON_STRING;
			value.string = json_object_get_string(node);
			value.length = (size_t) json_object_get_string_len(node);
			break;
		case json_type_array:
			value.type = IOTDATA_JSON_ARRAY;
			value.length = json_object_array_length(node);
			break;
		case json_type_object:
			value.type = IOTDATA_JSON_OBJECT;
			break;
	}
	return value;
}

IotDataJsonValue
iotdata_json_root(const IotDataJson *document)
{
	return value_of(document->root);
}

IotDataJsonValue
iotdata_json_member(IotDataJsonValue object, const char *name)
{
	struct json_object *member;

	if (object.type != IOTDATA_JSON_OBJECT ||
		!json_object_object_get_ex(object.node, name, &member))
		return missing;
	return value_of(member);
}

IotDataJsonValue
iotdata_json_element(IotDataJsonValue array, size_t index)
{
	if (array.type != IOTDATA_JSON_ARRAY || index >= array.length)
		return missing;
	return value_of(json_object_array_get_idx(array.node, index));
}

const char *
iotdata_json_text(IotDataJsonValue value)
{
	if (value.type == IOTDATA_JSON_NULL)
		return "null";
	/* what it asks for is json-c's own cache of the text */
	return json_object_to_json_string_ext((struct json_object *) (uintptr_t) value.node,
										  JSON_C_TO_STRING_PLAIN);
}
