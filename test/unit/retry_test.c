/*
 * retry_test.c
 *		Whether, when and how often a request is sent again.
 */
#include "unit.h"

#include "aws/retry.h"

static IotDataRetry
classify(int status, bool sent, bool broken, bool acts)
{
	IotDataAttempt attempt = {
		.http_status = status, .sent = sent, .broken = broken, .is_action = acts
	};

	return iotdata_retry_classify(&attempt);
}

static void
reads_are_retried_after_what_passes(void **state)
{
	(void) state;
	for (int status = 200; status < 600; status++)
	{
		IotDataRetry expected = IOTDATA_RETRY_NONE;

		if (status == 429)
			expected = IOTDATA_RETRY_THROTTLED;
		else if (status == 500 || (status >= 502 && status <= 504))
			expected = IOTDATA_RETRY_TRANSIENT;
		assert_int_equal(classify(status, true, false, false), expected);
	}
	assert_int_equal(classify(0, false, true, false), IOTDATA_RETRY_TRANSIENT);
	assert_int_equal(classify(0, true, true, false), IOTDATA_RETRY_TRANSIENT);
	/* too large, malformed, out of memory */
	assert_int_equal(classify(0, true, false, false), IOTDATA_RETRY_NONE);
}

static void
actions_are_retried_only_when_nothing_can_have_happened(void **state)
{
	(void) state;
	for (int status = 200; status < 600; status++)
		assert_int_equal(classify(status, true, false, true),
						 status == 429 ? IOTDATA_RETRY_THROTTLED : IOTDATA_RETRY_NONE);
	assert_int_equal(classify(0, true, true, true), IOTDATA_RETRY_NONE);
	assert_int_equal(classify(0, false, true, true), IOTDATA_RETRY_TRANSIENT);
}

static void
delays_double_up_to_20_seconds(void **state)
{
	static const int64_t transient[] = {50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000};
	static const int64_t throttled[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000};

	(void) state;
	for (int i = 0; i < 11; i++)
		assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_TRANSIENT, i, 1.0, -1), transient[i] * 1000);
	for (int i = 0; i < 7; i++)
		assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_THROTTLED, i, 1.0, -1), throttled[i] * 1000);
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_THROTTLED, 1000, 1.0, -1), 20000000);
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_TRANSIENT, 1, 0.0, -1), 0);
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_TRANSIENT, 1, 0.25, -1), 25000);
}

static void
retry_after_makes_a_delay_longer_by_5_seconds_at_most(void **state)
{
	(void) state;
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_THROTTLED, 0, 0.5, 0), 500000);
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_THROTTLED, 0, 0.5, 300), 500000);
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_THROTTLED, 0, 0.5, 700), 700000);
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_THROTTLED, 0, 0.5, 60000), 5500000);
	assert_int_equal(iotdata_retry_delay(IOTDATA_RETRY_THROTTLED, 0, 0.5, INT64_MAX), 5500000);
}

static int
retries_left(IotDataRetryQuota *quota, IotDataRetry retry)
{
	int			count = 0;

	while (iotdata_retry_quota_take(quota, retry, 1))
		count++;
	return count;
}

static void
the_retry_quota_is_used_up_and_refilled(void **state)
{
	IotDataRetryQuota quota = {0};

	(void) state;
	assert_int_equal(retries_left(&quota, IOTDATA_RETRY_THROTTLED), 100);	/* 500 / 5 */
	assert_false(iotdata_retry_quota_take(&quota, IOTDATA_RETRY_TRANSIENT, 1));
	iotdata_retry_quota_give(&quota, IOTDATA_RETRY_TRANSIENT);	/* 14 */
	assert_int_equal(retries_left(&quota, IOTDATA_RETRY_TRANSIENT), 1);
	for (int i = 0; i < 14; i++)
		iotdata_retry_quota_give(&quota, IOTDATA_RETRY_NONE);	/* 1 each */
	assert_int_equal(retries_left(&quota, IOTDATA_RETRY_TRANSIENT), 1);
	for (int i = 0; i < 1000; i++)
		iotdata_retry_quota_give(&quota, IOTDATA_RETRY_TRANSIENT);
	assert_int_equal(retries_left(&quota, IOTDATA_RETRY_TRANSIENT), 35);	/* 500 / 14 */
}

static void
each_of_the_calls_in_flight_can_be_retried_after_one_burst_of_failures(void **state)
{
	IotDataRetryQuota quota = {0};

	(void) state;
	for (int i = 0; i < 1000; i++)
		assert_true(iotdata_retry_quota_take(&quota, IOTDATA_RETRY_TRANSIENT, 1000));
	assert_false(iotdata_retry_quota_take(&quota, IOTDATA_RETRY_TRANSIENT, 1000));
	/* fewer at once: what was spent is spent */
	assert_false(iotdata_retry_quota_take(&quota, IOTDATA_RETRY_TRANSIENT, 64));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_are_retried_after_what_passes),
		cmocka_unit_test(actions_are_retried_only_when_nothing_can_have_happened),
		cmocka_unit_test(delays_double_up_to_20_seconds),
		cmocka_unit_test(retry_after_makes_a_delay_longer_by_5_seconds_at_most),
		cmocka_unit_test(the_retry_quota_is_used_up_and_refilled),
		cmocka_unit_test(each_of_the_calls_in_flight_can_be_retried_after_one_burst_of_failures),
	};

	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
