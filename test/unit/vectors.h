/*
 * vectors.h
 *		Requests as AWS's own client sends and signs them, from a file.
 *
 * Read with json-c itself, so that these tests do not stand on aws/json.
 */
#ifndef IOTDATA_TEST_VECTORS_H
#define IOTDATA_TEST_VECTORS_H

#include <json-c/json.h>

#include "unit.h"

#define VECTOR_COUNT 57

static struct json_object *vectors;

static int
load_vectors(void **state)
{
	(void) state;
	vectors = json_object_from_file(VECTORS);
	if (vectors == NULL)
		fprintf(stderr, "%s\n", json_util_get_last_err());
	return (vectors == NULL ||
			json_object_array_length(vectors) != VECTOR_COUNT) ? -1 : 0;
}

static int
free_vectors(void **state)
{
	(void) state;
	json_object_put(vectors);
	return 0;
}

static inline const char *
text_of(struct json_object *object, const char *member)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, member, &value));
	assert_true(json_object_is_type(value, json_type_string));
	return json_object_get_string(value);
}

#endif							/* IOTDATA_TEST_VECTORS_H */
