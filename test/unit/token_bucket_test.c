/*
 * token_bucket_test.c
 *		The token bucket, in simulated time.
 */
#include "unit.h"

#include "aws/token_bucket.h"

#define SECOND INT64_C(1000000)
#define MILLISECOND INT64_C(1000)

/* times begin anywhere */
#define BEGIN INT64_C(123456789012)

/* How many tokens there are until "end" for who asks again when told to. */
static int
take_until(IotDataTokenBucket *bucket, int rate, int64_t *now, int64_t end)
{
	int			taken = 0;
	int64_t		wait;

	while (*now < end)
	{
		if (iotdata_token_bucket_take(bucket, rate, *now, &wait))
			taken++;
		else
		{
			assert_true(wait >= 1);
			*now += wait;
		}
	}
	return taken;
}

static void
the_rate_of_a_bucket_is_exact(void **state)
{
	static const int rates[] = {1, 2, 3, 7, 100, 333, 9999, 20000, 1000000};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(rates); i++)
	{
		int			rate = rates[i];
		int			held = rate >= 4 ? rate / 4 : 1;
		int64_t		seconds = rate < 100000 ? 60 : 2;
		int64_t		now = BEGIN;
		IotDataTokenBucket bucket;
		int			taken;

		iotdata_token_bucket_init(&bucket, rate, true, now);
		taken = take_until(&bucket, rate, &now, BEGIN + seconds * SECOND);
		if (rate * 2 > 1000000)

			/*
			 * each wait of a whole microsecond is late; what it is late by is
			 * in the bucket
			 */
			assert_within(taken, rate * seconds + held - 2,
						  rate * seconds + held + 1);
		else
			assert_within(taken, rate * seconds + held - 1,
						  rate * seconds + held);
	}
}

static void
a_bucket_holds_a_quarter_of_a_second_s_worth(void **state)
{
	static const struct
	{
		int			rate;
		int			held;
	}			cases[] = {{1, 1}, {3, 1}, {4, 1}, {8, 2}, {100, 25}, {1000000, 250000}};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		IotDataTokenBucket bucket;
		int64_t		now = BEGIN;
		int64_t		wait;

		iotdata_token_bucket_init(&bucket, cases[i].rate, true, now);

		/* at first, and after a day */
		for (int day = 0; day < 2; day++)
		{
			int			taken = 0;

			while (iotdata_token_bucket_take(&bucket, cases[i].rate, now, &wait))
				taken++;
			assert_int_equal(taken, cases[i].held);
			now += 86400 * SECOND;
		}
	}
}

static void
a_token_is_there_after_the_wait_and_not_before(void **state)
{
	IotDataTokenBucket bucket;
	int64_t		now = BEGIN;
	int64_t		wait;

	(void) state;
	iotdata_token_bucket_init(&bucket, 1, true, now);
	assert_true(iotdata_token_bucket_take(&bucket, 1, now, &wait));
	assert_false(iotdata_token_bucket_take(&bucket, 1, now, &wait));
	assert_within(wait, SECOND, SECOND + 1);
	assert_false(iotdata_token_bucket_take(&bucket, 1, now + SECOND / 2, &wait));
	assert_within(wait, SECOND / 2, SECOND / 2 + 1);
	assert_false(iotdata_token_bucket_take(&bucket, 1, now + SECOND - 10, &wait));
	assert_within(wait, 10, 11);
	assert_true(iotdata_token_bucket_take(&bucket, 1, now + SECOND, &wait));
}

static void
several_takers_share_a_bucket_s_rate(void **state)
{
	enum
	{
		TAKERS = 5
	};
	int64_t		next[TAKERS];
	int			taken[TAKERS] = {0};
	int			all = 0;
	int64_t		end = BEGIN + 60 * SECOND;
	IotDataTokenBucket bucket;

	(void) state;
	srand(4);
	iotdata_token_bucket_init(&bucket, 100, true, BEGIN);
	for (int i = 0; i < TAKERS; i++)
		next[i] = BEGIN + i;
	for (;;)
	{
		int			who = 0;
		int64_t		wait;

		for (int i = 1; i < TAKERS; i++)
			if (next[i] < next[who])
				who = i;
		if (next[who] >= end)
			break;
		if (iotdata_token_bucket_take(&bucket, 100, next[who], &wait))
		{
			taken[who]++;
			all++;

			/* its answer, before it asks again: takers are of unequal speed */
			next[who] += (5 + 7 * who) * MILLISECOND;
		}
		else
			/* nobody wakes at the very moment */
			next[who] += wait + rand() % MILLISECOND;
	}
	assert_within(all, 6000 + 25 - TAKERS, 6000 + 25);
	for (int i = 0; i < TAKERS; i++)
		assert_true(taken[i] > 500);
}

static void
a_429_slows_a_bucket_down_for_a_while(void **state)
{
	IotDataTokenBucket bucket;
	int64_t		now = BEGIN;
	int64_t		wait;

	(void) state;
	iotdata_token_bucket_init(&bucket, 100, true, now);

	/* what it held is gone, and it fills at 50 a second */
	assert_true(iotdata_token_bucket_throttled(&bucket, 100, now));
	assert_false(iotdata_token_bucket_take(&bucket, 100, now, &wait));
	assert_within(wait, SECOND / 50, SECOND / 50 + 2);

	/* others of the same flight count as that one */
	for (int i = 1; i < 5; i++)
		iotdata_token_bucket_throttled(&bucket, 100, now + i * 10 * MILLISECOND);
	assert_true(iotdata_token_bucket_pace(&bucket) > 0.49);

	/* a slower one gives up less of its pace */
	iotdata_token_bucket_throttled(&bucket, 100, now + 50 * MILLISECOND);
	assert_true(iotdata_token_bucket_pace(&bucket) > 0.37 && iotdata_token_bucket_pace(&bucket) < 0.39);

	/* and after some seconds it is as fast as before */
	now += 20 * SECOND;
	take_until(&bucket, 100, &now, now + 1);
	assert_true(iotdata_token_bucket_pace(&bucket) == 1);
}

static void
a_bucket_never_stops_however_many_429s_come(void **state)
{
	static const struct
	{
		int			rate;
		double		slowest;
	}			cases[] = {{1, 1}, {10, 1}, {50, 1}, {100, 2}, {20000, 400}};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		IotDataTokenBucket bucket;
		int64_t		now = BEGIN;
		bool		can_slow_down = true;

		iotdata_token_bucket_init(&bucket, cases[i].rate, true, now);
		for (int j = 0; j < 10000; j++, now += 100 * MILLISECOND)
			can_slow_down = iotdata_token_bucket_throttled(&bucket, cases[i].rate, now);
		assert_false(can_slow_down);
		assert_true(iotdata_token_bucket_pace(&bucket) * cases[i].rate > cases[i].slowest - 0.001);
		assert_true(iotdata_token_bucket_pace(&bucket) * cases[i].rate < cases[i].slowest + 1);

		now += 21 * SECOND;
		take_until(&bucket, cases[i].rate, &now, now + 1);
		assert_true(iotdata_token_bucket_pace(&bucket) == 1);
	}
}

static void
a_new_rate_counts_at_once(void **state)
{
	IotDataTokenBucket bucket;
	int64_t		now = BEGIN;
	int64_t		wait;
	int			taken;

	(void) state;
	iotdata_token_bucket_init(&bucket, 1000, true, now);
	take_until(&bucket, 1000, &now, now + 1);
	now = BEGIN + SECOND;
	assert_within(take_until(&bucket, 10, &now, BEGIN + 11 * SECOND), 100, 103);
	now = BEGIN + 11 * SECOND;
	taken = take_until(&bucket, 1000, &now, BEGIN + 12 * SECOND);
	assert_within(taken, 999, 1000 + 250);

	/* what it holds is no more than the new rate allows */
	now += SECOND;
	assert_true(iotdata_token_bucket_take(&bucket, 4, now, &wait));
	assert_false(iotdata_token_bucket_take(&bucket, 4, now, &wait));
	assert_within(wait, SECOND / 4, SECOND / 4 + 1);
}

static void
a_clock_that_jumps_does_no_harm(void **state)
{
	static const int64_t jumps[] = {
		-1, -10, -999999, -SECOND, -3600 * SECOND, -BEGIN, -(INT64_C(1) << 62),
		3600 * SECOND, INT64_C(1) << 62
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(jumps); i++)
	{
		IotDataTokenBucket bucket;
		int64_t		now = BEGIN;
		int			taken;

		iotdata_token_bucket_init(&bucket, 100, true, now);
		take_until(&bucket, 100, &now, now + SECOND);
		iotdata_token_bucket_throttled(&bucket, 100, now);
		now += jumps[i];

		/*
		 * it goes on at its pace from there, within what the clocks may
		 * differ
		 */
		taken = take_until(&bucket, 100, &now, now + 10 * SECOND);
		assert_within(taken, 750, 1026);
		assert_true(bucket.tokens >= -1 && bucket.tokens <= 25);
		iotdata_token_bucket_throttled(&bucket, 100, now);
		assert_true(iotdata_token_bucket_pace(&bucket) < 0.95);
	}
}

/* ---- against a service ---- */

/* The service: a bucket of its own, that answers 429 when it is empty. */
typedef struct Service
{
	double		quota;			/* a second */
	double		held;			/* seconds' worth, when full */
	double		tokens;
	int64_t		at;
	int			answered;
	int			throttled;
} Service;

static bool
service_asked(Service *service, int64_t now)
{
	service->tokens += service->quota * (double) (now - service->at) / SECOND;
	if (service->tokens > service->quota * service->held)
		service->tokens = service->quota * service->held;
	service->at = now;
	if (service->tokens < 1)
	{
		service->throttled++;
		return false;
	}
	service->tokens -= 1;
	service->answered++;
	return true;
}

/*
 * A minute of as many requests as the bucket allows. Each arrives after up to
 * "jitter", in the order sent, and its answer is known after twice "delay".
 */
static void
ask_for_a_minute(Service *service, int rate, int64_t jitter, int64_t delay)
{
	enum
	{
		LATE = 4096				/* 429s on their way */
	};
	static int64_t late[LATE];
	unsigned	first = 0;
	unsigned	last = 0;
	int64_t		now = BEGIN;
	int64_t		wait;
	IotDataTokenBucket bucket;

	srand(4);
	service->tokens = service->quota * service->held;
	service->at = now;
	iotdata_token_bucket_init(&bucket, rate, true, now);
	while (now < BEGIN + 60 * SECOND)
	{
		while (first != last && late[first % LATE] <= now)
			iotdata_token_bucket_throttled(&bucket, rate, late[first++ % LATE]);
		if (iotdata_token_bucket_take(&bucket, rate, now, &wait))
		{
			int64_t		arrives = now + (jitter > 0 ? rand() % jitter : 0);

			if (arrives < service->at)
				arrives = service->at;
			if (!service_asked(service, arrives))
			{
				late[last++ % LATE] = arrives + delay;
				assert_true(last - first <= LATE);
			}
		}
		else if (first != last && late[first % LATE] < now + wait)
			now = late[first % LATE];
		else
			now += wait;
	}
}

static void
a_bucket_finds_a_quota_of_half_its_rate(void **state)
{
	static const struct
	{
		int			rate;
		double		held;
		int64_t		delay;
	}			cases[] = {
		{100, 1, 20 * MILLISECOND},
		{100, 1, 100 * MILLISECOND},
		{100, 0.25, 20 * MILLISECOND},
		{20000, 1, 20 * MILLISECOND},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		Service		service = {.quota = cases[i].rate / 2.0, .held = cases[i].held};
		double		utilisation;
		double		throttled;

		ask_for_a_minute(&service, cases[i].rate, 5 * MILLISECOND, cases[i].delay);
		utilisation = service.answered / (service.quota * 60);
		throttled = service.throttled /
			(double) (service.answered + service.throttled);
		print_message("# nominal %d, quota %.0f with %.2f s held: "
					  "%.3f of it used, %.2f %% throttled\n",
					  cases[i].rate, service.quota, service.held,
					  utilisation, 100 * throttled);
		assert_true(utilisation >= 0.9);
		assert_true(throttled < 0.04);
	}
}

static void
a_bucket_with_the_right_rate_never_exceeds_the_quota(void **state)
{
	static const int64_t jitters[] = {0, 5 * MILLISECOND};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(jitters); i++)
	{
		Service		service = {.quota = 100, .held = 1};

		ask_for_a_minute(&service, 100, jitters[i], 20 * MILLISECOND);
		assert_int_equal(service.throttled, 0);
		assert_within(service.answered, 6000 + 25 - 1, 6000 + 25);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_of_a_bucket_is_exact),
		cmocka_unit_test(a_bucket_holds_a_quarter_of_a_second_s_worth),
		cmocka_unit_test(a_token_is_there_after_the_wait_and_not_before),
		cmocka_unit_test(several_takers_share_a_bucket_s_rate),
		cmocka_unit_test(a_429_slows_a_bucket_down_for_a_while),
		cmocka_unit_test(a_bucket_never_stops_however_many_429s_come),
		cmocka_unit_test(a_new_rate_counts_at_once),
		cmocka_unit_test(a_clock_that_jumps_does_no_harm),
		cmocka_unit_test(a_bucket_finds_a_quota_of_half_its_rate),
		cmocka_unit_test(a_bucket_with_the_right_rate_never_exceeds_the_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
