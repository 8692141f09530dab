/*
 * buffer_test.c
 *		Text assembled in storage that the caller owns.
 */
#include "unit.h"

#include "aws/buffer.h"

static void
a_buffer_begins_empty(void **state)
{
	IotDataBuffer buffer;
	char		storage[4] = "xyz";

	(void) state;
	iotdata_buffer_init(&buffer, storage, sizeof(storage));
	assert_ptr_equal(buffer.data, storage);
	assert_int_equal(buffer.size, sizeof(storage));
	assert_int_equal(buffer.length, 0);
	assert_false(buffer.overflowed);
	assert_string_equal(storage, "");
}

static void
what_is_appended_comes_one_after_the_other(void **state)
{
	IotDataBuffer buffer;
	char		storage[16];

	(void) state;
	iotdata_buffer_init(&buffer, storage, sizeof(storage));
	iotdata_buffer_append_string(&buffer, "topic");
	iotdata_buffer_append(&buffer, "/abc", 2);
	iotdata_buffer_append_string(&buffer, "");
	assert_string_equal(storage, "topic/a");
	assert_int_equal(buffer.length, 7);
	assert_false(buffer.overflowed);
}

static void
bytes_of_every_value_can_be_appended(void **state)
{
	IotDataBuffer buffer;
	char		storage[257];
	unsigned char bytes[256];

	(void) state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char) i;
	iotdata_buffer_init(&buffer, storage, sizeof(storage));
	iotdata_buffer_append(&buffer, bytes, sizeof(bytes));
	assert_false(buffer.overflowed);
	assert_int_equal(buffer.length, sizeof(bytes));
	assert_memory_equal(storage, bytes, sizeof(bytes));
	assert_int_equal(storage[256], '\0');
}

static void
nothing_can_be_appended_without_a_pointer(void **state)
{
	IotDataBuffer buffer;
	char		storage[1];

	(void) state;
	iotdata_buffer_init(&buffer, storage, sizeof(storage));
	iotdata_buffer_append(&buffer, NULL, 0);
	assert_false(buffer.overflowed);
	assert_string_equal(storage, "");
}

static void
what_fits_exactly_is_appended_and_a_byte_more_overflows(void **state)
{
	(void) state;
	for (size_t size = 1; size <= 12; size++)
	{
		IotDataBuffer buffer;
		char	   *storage = malloc(size);

		iotdata_buffer_init(&buffer, storage, size);
		iotdata_buffer_append_string(&buffer, "0123456789");
		assert_int_equal(buffer.overflowed, size < 11);
		assert_int_equal(buffer.length, size < 11 ? 0 : 10);
		assert_string_equal(storage, size < 11 ? "" : "0123456789");
		free(storage);
	}
}

static void
nothing_is_appended_in_part(void **state)
{
	IotDataBuffer buffer;
	char		storage[4];

	(void) state;
	iotdata_buffer_init(&buffer, storage, sizeof(storage));
	iotdata_buffer_append_string(&buffer, "ab");
	iotdata_buffer_append_string(&buffer, "cd");
	assert_true(buffer.overflowed);
	assert_string_equal(storage, "ab");
}

static void
a_buffer_that_overflowed_stays_so(void **state)
{
	IotDataBuffer buffer;
	char		storage[4];

	(void) state;
	iotdata_buffer_init(&buffer, storage, sizeof(storage));
	iotdata_buffer_append_string(&buffer, "abcd");
	iotdata_buffer_append_string(&buffer, "e");
	assert_true(buffer.overflowed);
	assert_string_equal(storage, "");
}

static void
the_greatest_length_overflows(void **state)
{
	IotDataBuffer buffer;
	char		storage[4];

	(void) state;
	iotdata_buffer_init(&buffer, storage, sizeof(storage));
	iotdata_buffer_append_string(&buffer, "ab");
	iotdata_buffer_append(&buffer, "cd", SIZE_MAX);
	assert_true(buffer.overflowed);
	assert_string_equal(storage, "ab");
}

static void
a_buffer_without_storage_has_overflowed(void **state)
{
	IotDataBuffer buffer;

	(void) state;
	iotdata_buffer_init(&buffer, NULL, 0);
	assert_true(buffer.overflowed);
	iotdata_buffer_append_string(&buffer, "a");
	assert_true(buffer.overflowed);
	assert_int_equal(buffer.length, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_begins_empty),
		cmocka_unit_test(what_is_appended_comes_one_after_the_other),
		cmocka_unit_test(bytes_of_every_value_can_be_appended),
		cmocka_unit_test(nothing_can_be_appended_without_a_pointer),
		cmocka_unit_test(what_fits_exactly_is_appended_and_a_byte_more_overflows),
		cmocka_unit_test(nothing_is_appended_in_part),
		cmocka_unit_test(a_buffer_that_overflowed_stays_so),
		cmocka_unit_test(the_greatest_length_overflows),
		cmocka_unit_test(a_buffer_without_storage_has_overflowed),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
