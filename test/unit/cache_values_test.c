/*
 * cache_values_test.c
 *		Values that are packed for the cache come back as they were.
 */
#include "unit.h"

#include "shared/cache_values.h"

#define REQUEST "/connections/device-0123456789abc"

static IotDataJsonValue
string(const char *text)
{
	return (IotDataJsonValue) {.type = IOTDATA_JSON_STRING, .string = text, .length = strlen(text)};
}

static IotDataJsonValue
integer(int64_t number)
{
	return (IotDataJsonValue) {.type = IOTDATA_JSON_INTEGER, .integer = number};
}

static IotDataJsonValue
boolean(bool value)
{
	return (IotDataJsonValue) {.type = IOTDATA_JSON_BOOLEAN, .boolean = value};
}

static void
assert_same(const IotDataJsonValue *one, const IotDataJsonValue *other)
{
	assert_int_equal(one->type, other->type);
	if (one->type == IOTDATA_JSON_BOOLEAN)
		assert_int_equal(one->boolean, other->boolean);
	if (one->type == IOTDATA_JSON_INTEGER)
		assert_true(one->integer == other->integer);
	if (one->type == IOTDATA_JSON_REAL)
		assert_memory_equal(&one->real, &other->real, sizeof(one->real));
	if (one->type != IOTDATA_JSON_STRING)
		return;
	assert_int_equal(one->length, other->length);
	assert_memory_equal(one->string, other->string, one->length);
	assert_int_equal(other->string[other->length], 0);
}

/* Packed into no more room than it takes, and read into no more than it says. */
static size_t
there_and_back(const IotDataJsonValue *values, int nvalues, const char *request)
{
	char		buffer[8192];
	size_t		request_length = strlen(request);
	char	   *exact_request = exact_copy(request, request_length);
	size_t		length = iotdata_cache_pack(values, nvalues, exact_request, request_length,
											buffer, sizeof(buffer));
	IotDataJsonValue back[16];
	char	   *packed;
	char	   *strings;

	assert_true(length > 0);
	for (size_t less = 0; less < length; less++)
		assert_int_equal(iotdata_cache_pack(values, nvalues, exact_request, request_length,
											buffer, less), 0);
	packed = malloc(length);
	assert_int_equal(iotdata_cache_pack(values, nvalues, exact_request, request_length,
										packed, length), length);
	strings = malloc(iotdata_cache_unpacked_size(packed) + 1);
	iotdata_cache_unpack(packed, exact_request, back, nvalues, strings);
	for (int i = 0; i < nvalues; i++)
		assert_same(&values[i], &back[i]);
	free(strings);
	free(packed);
	free(exact_request);
	return length;
}

static void
every_kind_of_value_comes_back(void **state)
{
	IotDataJsonValue values[] = {
		{.type = IOTDATA_JSON_MISSING}, {.type = IOTDATA_JSON_NULL},
		boolean(true), boolean(false),
		integer(0), integer(1), integer(-1), integer(63), integer(64),
		integer(INT64_MAX), integer(INT64_MIN),
		{.type = IOTDATA_JSON_REAL, .real = 1.5e300},
		{.type = IOTDATA_JSON_REAL, .real = -0.0},
		string(""), string("x"),
	};

	(void) state;
	for (int n = 0; n <= (int) LENGTH_OF(values); n++)
		there_and_back(values, n, REQUEST);
	for (size_t i = 0; i < LENGTH_OF(values); i++)
		there_and_back(&values[i], 1, "");
}

static void
strings_come_back_whether_or_not_the_request_has_them(void **state)
{
	char		request[600];
	char		text[301];

	(void) state;
	for (int i = 0; i < 599; i++)
		request[i] = (char) ('a' + (i * i + i / 26) % 26);
	request[599] = '\0';
	for (int place = 0; place < 300; place += 7)
		for (int length = 0; length <= 300; length += length < 4 ? 1 : 37)
		{
			IotDataJsonValue value;

			memcpy(text, request + place, (size_t) length);
			text[length] = '\0';
			value = string(text);
			there_and_back(&value, 1, request);
			there_and_back(&value, 1, text);
			there_and_back(&value, 1, "");
		}
}

static void
arrays_and_objects_are_not_packed(void **state)
{
	char		buffer[100];
	IotDataJsonValue values[2] = {integer(1), {.type = IOTDATA_JSON_ARRAY}};

	(void) state;
	assert_int_equal(iotdata_cache_pack(values, 2, "", 0, buffer, sizeof(buffer)), 0);
	values[1].type = IOTDATA_JSON_OBJECT;
	assert_int_equal(iotdata_cache_pack(values, 2, "", 0, buffer, sizeof(buffer)), 0);
}

/* What GetConnection answers about a client whose ID has 20 bytes. */
static void
connections_are_small(void **state)
{
	IotDataJsonValue values[15] = {
		boolean(true), string("device-0123456789abc"), boolean(false),
		{.type = IOTDATA_JSON_MISSING}, {.type = IOTDATA_JSON_MISSING},
		{.type = IOTDATA_JSON_MISSING}, {.type = IOTDATA_JSON_MISSING},
		integer(1200), integer(1790000000000), {.type = IOTDATA_JSON_MISSING},
		{.type = IOTDATA_JSON_MISSING}, integer(3600), string("device-0123456789abc"),
		{.type = IOTDATA_JSON_MISSING}, {.type = IOTDATA_JSON_MISSING},
	};

	(void) state;
	assert_int_equal(there_and_back(values, 15, REQUEST), 1 + 8 + 2 + 2 + 6 + 2 + 2);

	/* with a slot, a head and the client ID it takes 52 bytes more */
	values[1] = string("thing-of-another-name");
	assert_true(there_and_back(values, 15, REQUEST) + 52 + 1 <= 128);
	values[0] = boolean(false);
	values[9] = integer(1790000123456);
	values[10] = string("MQTT_KEEP_ALIVE_TIMEOUT");
	values[1] = string("device-0123456789abc");
	assert_true(there_and_back(values, 15, REQUEST) + 52 + 1 <= 128);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_comes_back),
		cmocka_unit_test(strings_come_back_whether_or_not_the_request_has_them),
		cmocka_unit_test(arrays_and_objects_are_not_packed),
		cmocka_unit_test(connections_are_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
