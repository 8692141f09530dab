/*
 * schedule_test.c
 *		What becomes of a queued message after an attempt to send it.
 */
#include "unit.h"

#include "outbox/schedule.h"

static IotDataOutboxVerdict
judge(int status, bool sent, bool not_found)
{
	IotDataOutboxAttempt attempt = {
		.http_status = status, .sent = sent, .not_found = not_found
	};

	return iotdata_outbox_judge(&attempt);
}

static bool
is_unknown(int status, bool sent)
{
	IotDataOutboxAttempt attempt = {.http_status = status, .sent = sent};

	return iotdata_outbox_is_unknown(&attempt);
}

static void
only_2xx_is_delivered(void **state)
{
	(void) state;
	for (int status = 100; status < 600; status++)
		assert_int_equal(judge(status, true, false) == IOTDATA_OUTBOX_DELIVERED,
						 status >= 200 && status < 300);
}

static void
what_the_service_refuses_is_final(void **state)
{
	static const int statuses[] = {400, 403, 405, 409, 413, 415};

	(void) state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(judge(statuses[i], true, false), IOTDATA_OUTBOX_FAILED);
}

static void
a_device_that_is_off_is_tried_again(void **state)
{
	(void) state;
	assert_int_equal(judge(404, true, true), IOTDATA_OUTBOX_RETRY);
	assert_false(is_unknown(404, true));
}

static void
what_is_not_the_devices_fault_holds_the_target(void **state)
{
	static const int statuses[] = {301, 401, 404, 408, 429};

	(void) state;
	for (int i = 0; i < 5; i++)
	{
		assert_int_equal(judge(statuses[i], true, false), IOTDATA_OUTBOX_HOLD);
		assert_false(is_unknown(statuses[i], true));
	}
	assert_int_equal(judge(0, false, false), IOTDATA_OUTBOX_HOLD);
	assert_false(is_unknown(0, false));
}

static void
after_a_server_error_or_a_lost_connection_the_fate_is_unknown(void **state)
{
	(void) state;
	for (int status = 500; status < 600; status++)
	{
		assert_int_equal(judge(status, true, false), IOTDATA_OUTBOX_RETRY);
		assert_true(is_unknown(status, true));
	}
	assert_int_equal(judge(0, true, false), IOTDATA_OUTBOX_RETRY);
	assert_true(is_unknown(0, true));
	assert_false(is_unknown(200, true));
}

static void
delays_double_up_to_the_longest(void **state)
{
	static const int64_t delays[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};

	(void) state;
	for (int i = 0; i < 11; i++)
		assert_int_equal(iotdata_outbox_delay(i + 1, 1, 300), delays[i]);
	assert_int_equal(iotdata_outbox_delay(INT32_MAX, 1000000, INT64_C(86400000000)), INT64_C(86400000000));
	assert_int_equal(iotdata_outbox_delay(1, 500, 300), 300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_2xx_is_delivered),
		cmocka_unit_test(what_the_service_refuses_is_final),
		cmocka_unit_test(a_device_that_is_off_is_tried_again),
		cmocka_unit_test(what_is_not_the_devices_fault_holds_the_target),
		cmocka_unit_test(after_a_server_error_or_a_lost_connection_the_fate_is_unknown),
		cmocka_unit_test(delays_double_up_to_the_longest),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
