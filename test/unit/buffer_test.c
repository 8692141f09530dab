/*
 * buffer_test.c
 *		Text assembled in storage that the caller owns.
 */
#include "unit.h"

#include "aws/buffer.h"

static void
begins_empty(void **state)
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
appends_one_after_the_other(void **state)
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
takes_bytes_of_every_value(void **state)
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
appending_nothing_takes_no_pointer(void **state)
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
fits_exactly_or_overflows(void **state)
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
appends_nothing_in_part(void **state)
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
stays_overflowed(void **state)
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
survives_the_greatest_length(void **state)
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
without_storage_everything_overflows(void **state)
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
		cmocka_unit_test(begins_empty),
		cmocka_unit_test(appends_one_after_the_other),
		cmocka_unit_test(takes_bytes_of_every_value),
		cmocka_unit_test(appending_nothing_takes_no_pointer),
		cmocka_unit_test(fits_exactly_or_overflows),
		cmocka_unit_test(appends_nothing_in_part),
		cmocka_unit_test(stays_overflowed),
		cmocka_unit_test(survives_the_greatest_length),
		cmocka_unit_test(without_storage_everything_overflows),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
