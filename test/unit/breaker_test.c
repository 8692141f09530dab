/*
 * breaker_test.c
 *		When a target that takes nothing is asked again.
 */
#include "unit.h"

#include "outbox/breaker.h"

static void
a_target_that_cannot_be_reached_opens_it_at_once(void **state)
{
	IotDataBreaker breaker = {0};

	(void) state;
	assert_true(iotdata_breaker_allows(&breaker, 0));
	assert_true(iotdata_breaker_failed(&breaker, true, 1000));
	assert_true(iotdata_breaker_is_open(&breaker));
	assert_false(iotdata_breaker_allows(&breaker, 1000));
}

static void
those_in_flight_do_not_make_the_pause_longer(void **state)
{
	IotDataBreaker breaker = {0};

	(void) state;
	iotdata_breaker_failed(&breaker, true, 0);
	for (int i = 0; i < 255; i++)
		assert_false(iotdata_breaker_failed(&breaker, true, i));
	assert_true(iotdata_breaker_allows(&breaker, 250000));
}

static void
after_each_pause_one_message_is_a_probe(void **state)
{
	IotDataBreaker breaker = {0};

	(void) state;
	iotdata_breaker_failed(&breaker, true, 0);
	assert_false(iotdata_breaker_allows(&breaker, 249999));
	assert_true(iotdata_breaker_allows(&breaker, 250000));
	iotdata_breaker_sent(&breaker, 250000);
	assert_false(iotdata_breaker_allows(&breaker, 250000));
	assert_true(iotdata_breaker_succeeded(&breaker));
	assert_false(iotdata_breaker_succeeded(&breaker));
	assert_true(iotdata_breaker_allows(&breaker, 250000));
}

static void
pauses_double_up_to_10_seconds(void **state)
{
	static const int64_t pauses[] = {250, 500, 1000, 2000, 4000, 8000, 10000, 10000};
	IotDataBreaker breaker = {0};
	int64_t		now = 0;

	(void) state;
	assert_true(iotdata_breaker_failed(&breaker, true, now));
	for (int i = 0; i < 8; i++)
	{
		assert_int_equal(breaker.probe_at - now, pauses[i] * 1000);
		now = breaker.probe_at;
		iotdata_breaker_sent(&breaker, now);
		assert_false(iotdata_breaker_failed(&breaker, true, now + 1));
	}
}

static void
failures_that_may_be_the_devices_open_it_when_nothing_else_comes(void **state)
{
	IotDataBreaker breaker = {0};

	(void) state;
	for (int i = 0; i < 15; i++)
		assert_false(iotdata_breaker_failed(&breaker, false, 0));
	iotdata_breaker_succeeded(&breaker);
	for (int i = 0; i < 15; i++)
		assert_false(iotdata_breaker_failed(&breaker, false, 0));
	assert_true(iotdata_breaker_failed(&breaker, false, 0));
}

static void
a_probe_that_hangs_does_not_keep_the_next_one_waiting(void **state)
{
	IotDataBreaker breaker = {0};

	(void) state;
	iotdata_breaker_failed(&breaker, true, 0);
	iotdata_breaker_sent(&breaker, 250000);
	assert_false(iotdata_breaker_allows(&breaker, 749999));
	assert_true(iotdata_breaker_allows(&breaker, 750000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_that_cannot_be_reached_opens_it_at_once),
		cmocka_unit_test(those_in_flight_do_not_make_the_pause_longer),
		cmocka_unit_test(after_each_pause_one_message_is_a_probe),
		cmocka_unit_test(a_probe_that_hangs_does_not_keep_the_next_one_waiting),
		cmocka_unit_test(pauses_double_up_to_10_seconds),
		cmocka_unit_test(failures_that_may_be_the_devices_open_it_when_nothing_else_comes),
	};

	return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
