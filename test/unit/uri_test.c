/*
 * uri_test.c
 *		Percent-encoding as AWS does it.
 */
#include "vectors.h"

#include "aws/uri.h"

/* Where an operation puts which argument into its path. */
static const struct
{
	const char *operation;
	const char *before;
	const char *argument;		/* NULL: it has none */
	const char *after;
}			paths[] = {
	{"get_connection", "/connections/", "clientId", ""},
	{"delete_connection", "/connections/", "clientId", ""},
	{"list_subscriptions", "/connections/", "clientId", "/subscriptions"},
	{"send_direct_message", "/connections/", "clientId", "/messages"},
	{"publish", "/topics/", "topic", ""},
	{"get_thing_shadow", "/things/", "thingName", "/shadow"},
	{"update_thing_shadow", "/things/", "thingName", "/shadow"},
	{"delete_thing_shadow", "/things/", "thingName", "/shadow"},
	{"list_named_shadows_for_thing",
	"/api/things/shadow/ListNamedShadowsForThing/", "thingName", ""},
	{"get_retained_message", "/retainedMessage/", "topic", ""},
	{"list_retained_messages", "/retainedMessage", NULL, ""},
};

/* Arguments that travel as a header or as the body. */
static const char *const not_in_url[] = {
	"payload", "userProperties", "payloadFormatIndicator", "correlationData"
};

static void
append_path(IotDataBuffer *url, struct json_object *vector,
			const char **label)
{
	const char *operation = text_of(vector, "operation");
	struct json_object *args = json_object_object_get(vector, "args");
	size_t		i = 0;

	while (i < LENGTH_OF(paths) && strcmp(paths[i].operation, operation) != 0)
		i++;
	assert_true(i < LENGTH_OF(paths));
	*label = paths[i].argument;
	iotdata_buffer_append_string(url, paths[i].before);
	if (*label != NULL)
	{
		const char *value = text_of(args, *label);

		iotdata_uri_encode(url, value, strlen(value));
	}
	iotdata_buffer_append_string(url, paths[i].after);
}

static bool
is_in_query(const char *argument, const char *label)
{
	for (size_t i = 0; i < LENGTH_OF(not_in_url); i++)
	{
		if (strcmp(argument, not_in_url[i]) == 0)
			return false;
	}
	return label == NULL || strcmp(argument, label) != 0;
}

static void
append_pair(IotDataBuffer *pair, const char *argument,
			struct json_object *value)
{
	/* json-c writes true, false and integers as the query has them */
	const char *text = json_object_get_string(value);
	const char *key = strcmp(argument, "shadowName") == 0 ? "name" : argument;

	iotdata_uri_encode(pair, key, strlen(key));
	iotdata_buffer_append(pair, "=", 1);
	iotdata_uri_encode(pair, text, strlen(text));
}

/* Is "pair" one of those that '&' separates in "query"? */
static bool
query_has(const char *query, const char *pair)
{
	size_t		length = strlen(pair);

	while (query != NULL)
	{
		if (strncmp(query, pair, length) == 0 &&
			(query[length] == '&' || query[length] == '\0'))
			return true;
		query = strchr(query, '&');
		query = (query == NULL) ? NULL : query + 1;
	}
	return false;
}

/* The order of pairs is the operation's affair: they are looked up. */
static size_t
check_query(struct json_object *args, const char *label, const char *query)
{
	size_t		length = 0;

	json_object_object_foreach(args, argument, value)
	{
		char		storage[4096];
		IotDataBuffer pair;

		if (!is_in_query(argument, label))
			continue;
		iotdata_buffer_init(&pair, storage, sizeof(storage));
		append_pair(&pair, argument, value);
		assert_false(pair.overflowed);
		assert_non_null(query);
		if (!query_has(query, storage))
			fail_msg("no %s in %s", storage, query);
		length += pair.length + 1;
	}
	return length;
}

static void
text_is_encoded_as_aws_clients_encode_it(void **state)
{
	(void) state;
	for (size_t i = 0; i < VECTOR_COUNT; i++)
	{
		struct json_object *vector = json_object_array_get_idx(vectors, i);
		const char *url = text_of(vector, "url");
		const char *path = strchr(url + strlen("https://"), '/');
		const char *query = strchr(url, '?');
		const char *label;
		char		storage[4096];
		IotDataBuffer out;
		size_t		length;

		iotdata_buffer_init(&out, storage, sizeof(storage));
		append_path(&out, vector, &label);
		assert_false(out.overflowed);
		assert_int_equal(out.length, strcspn(path, "?"));
		assert_memory_equal(storage, path, out.length);

		length = check_query(json_object_object_get(vector, "args"), label,
							 (query == NULL) ? NULL : query + 1);
		assert_int_equal(length, (query == NULL) ? 0 : strlen(query));
	}
}

static void
every_byte_but_the_unreserved_is_encoded(void **state)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789-._~";
	int			kept = 0;

	(void) state;
	for (int i = 0; i < 256; i++)
	{
		char		byte = (char) i;
		char		expected[4];
		char		storage[8];
		IotDataBuffer out;

		if (i != 0 && strchr(unreserved, byte) != NULL)
		{
			snprintf(expected, sizeof(expected), "%c", byte);
			kept++;
		}
		else
			snprintf(expected, sizeof(expected), "%%%02X", (unsigned int) i);
		iotdata_buffer_init(&out, storage, sizeof(storage));
		iotdata_uri_encode(&out, &byte, 1);
		assert_string_equal(storage, expected);
	}
	assert_int_equal(kept, 66);
}

static void
what_is_encoded_is_appended_to_what_is_there(void **state)
{
	char		storage[32];
	IotDataBuffer out;

	(void) state;
	iotdata_buffer_init(&out, storage, sizeof(storage));
	iotdata_buffer_append_string(&out, "/topics/");
	iotdata_uri_encode(&out, "a/b c", 5);
	iotdata_uri_encode(&out, "", 0);
	assert_string_equal(storage, "/topics/a%2Fb%20c");
}

static void
no_byte_beyond_the_length_is_read(void **state)
{
	char	   *text = exact_copy("a/b", 3);
	char		storage[32];
	IotDataBuffer out;

	(void) state;
	for (size_t length = 0; length <= 3; length++)
	{
		static const char *const expected[] = {"", "a", "a%2F", "a%2Fb"};

		iotdata_buffer_init(&out, storage, sizeof(storage));
		iotdata_uri_encode(&out, text, length);
		assert_string_equal(storage, expected[length]);
	}
	free(text);
}

static void
output_that_does_not_fit_overflows_at_every_length(void **state)
{
	static const char whole[] = "ab%2F%2Fc%C3%A9";

	(void) state;
	for (size_t size = 1; size <= sizeof(whole); size++)
	{
		char	   *storage = malloc(size);
		IotDataBuffer out;

		iotdata_buffer_init(&out, storage, size);
		iotdata_uri_encode(&out, "ab//c\xc3\xa9", 7);
		assert_int_equal(out.overflowed, size < sizeof(whole));
		assert_int_equal(strncmp(storage, whole, out.length), 0);
		free(storage);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_encoded_as_aws_clients_encode_it),
		cmocka_unit_test(every_byte_but_the_unreserved_is_encoded),
		cmocka_unit_test(what_is_encoded_is_appended_to_what_is_there),
		cmocka_unit_test(no_byte_beyond_the_length_is_read),
		cmocka_unit_test(output_that_does_not_fit_overflows_at_every_length),
	};

	return cmocka_run_group_tests_name("uri", tests, load_vectors,
									   free_vectors);
}
