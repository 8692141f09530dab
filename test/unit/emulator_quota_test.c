/*
 * emulator_quota_test.c
 *		The emulator's quotas: how many requests are taken, and when.
 *
 * Built by emulator/Makefile, because it is of the emulator's code.
 */
#include "api/quota.h"
#include "unit.h"

#define BEGIN 1000000			/* any time, in milliseconds */

/* How many of "count" requests at one time are taken. */
static int
take(Quota *quota, QuotaKind kind, const char *client_id, int64_t now, int count)
{
	int			taken = 0;

	for (int i = 0; i < count; i++)
		taken += quota_take(quota, kind, client_id, now);
	return taken;
}

static void
a_second_s_worth_is_granted_at_once_and_then_the_rate(void **state)
{
	const QuotaRates rates = {.read = 100};
	Quota		quota;

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	assert_int_equal(take(&quota, QUOTA_READ, "a", BEGIN, 150), 100);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 9, 1), 0);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 10, 2), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 25, 2), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 30, 2), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 530, 60), 50);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 100000, 150), 100);
	quota_free(&quota);
}

/* With a request every millisecond nothing is lost to rounding. */
static void
requests_that_are_refused_do_not_change_the_rate(void **state)
{
	const QuotaRates rates = {.read = 7};
	Quota		quota;
	int			taken = 0;

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	for (int i = 0; i <= 10000; i++)
		taken += take(&quota, QUOTA_READ, "a", BEGIN + i, 1);
	assert_int_equal(taken, 7 + 70);
	quota_free(&quota);
}

static void
each_kind_of_request_has_a_quota_of_its_own(void **state)
{
	const QuotaRates rates = {.read = 3, .send = 5};
	Quota		quota;

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	assert_int_equal(take(&quota, QUOTA_READ, "a", BEGIN, 10), 3);
	assert_int_equal(take(&quota, QUOTA_SEND, "a", BEGIN, 10), 5);
	assert_int_equal(take(&quota, QUOTA_NONE, NULL, BEGIN, 10), 10);
	quota_free(&quota);
}

static void
without_a_rate_there_is_no_limit(void **state)
{
	const QuotaRates rates = {0};
	Quota		quota;

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	assert_int_equal(take(&quota, QUOTA_READ, "a", BEGIN, 10000), 10000);
	assert_int_equal(take(&quota, QUOTA_SEND, "a", BEGIN, 10000), 10000);
	assert_int_equal(quota.clients.count, 0);
	quota_free(&quota);
}

static void
each_client_has_a_quota_for_reads(void **state)
{
	const QuotaRates rates = {.client_read = 1};
	Quota		quota;

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	assert_int_equal(take(&quota, QUOTA_READ, "a", BEGIN, 3), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 500, 3), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "a", BEGIN + 999, 3), 0);
	assert_int_equal(take(&quota, QUOTA_READ, "a", BEGIN + 1000, 3), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 1499, 3), 0);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN + 1500, 3), 1);
	assert_int_equal(take(&quota, QUOTA_SEND, "b", BEGIN + 1500, 3), 3);
	quota_free(&quota);
}

static void
a_refused_request_uses_neither_quota(void **state)
{
	const QuotaRates rates = {.read = 4, .client_read = 1};
	Quota		quota;

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	assert_int_equal(take(&quota, QUOTA_READ, "a", BEGIN, 100), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "b", BEGIN, 1), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "c", BEGIN, 1), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "d", BEGIN, 1), 1);
	assert_int_equal(take(&quota, QUOTA_READ, "e", BEGIN, 1), 0);
	assert_int_equal(take(&quota, QUOTA_READ, "e", BEGIN + 250, 1), 1);
	quota_free(&quota);
}

/* A thousand new clients a second, for a minute, and one that comes back. */
static void
clients_are_forgotten_when_it_makes_no_difference(void **state)
{
	const QuotaRates rates = {.client_read = 1};
	Quota		quota;
	char		client_id[16];

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	for (int i = 0; i < 60000; i++)
	{
		snprintf(client_id, sizeof(client_id), "%d", i);
		assert_int_equal(take(&quota, QUOTA_READ, client_id, BEGIN + i, 2), 1);
		assert_int_equal(take(&quota, QUOTA_READ, "back", BEGIN + i, 1), i % 1000 == 0);
		assert_true(quota.clients.count <= 1500);
	}
	quota_free(&quota);
}

static void
the_number_of_clients_is_bounded(void **state)
{
	const QuotaRates rates = {.client_read = 1};
	Quota		quota;
	char		client_id[QUOTA_MAX_CLIENT_ID + 2];

	(void) state;
	quota_init(&quota, &rates, BEGIN);
	for (int i = 0; i < QUOTA_MAX_CLIENTS + 1000; i++)
	{
		snprintf(client_id, sizeof(client_id), "%d", i);
		assert_int_equal(take(&quota, QUOTA_READ, client_id, BEGIN, 2), 1);
	}
	assert_int_equal(quota.clients.count, QUOTA_MAX_CLIENTS);
	quota_free(&quota);

	quota_init(&quota, &rates, BEGIN);
	memset(client_id, 'x', sizeof(client_id) - 1);
	client_id[sizeof(client_id) - 1] = '\0';
	assert_int_equal(take(&quota, QUOTA_READ, client_id, BEGIN, 2), 2);
	assert_int_equal(take(&quota, QUOTA_READ, client_id + 1, BEGIN, 2), 1);
	assert_int_equal(quota.clients.count, 1);
	quota_free(&quota);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_s_worth_is_granted_at_once_and_then_the_rate),
		cmocka_unit_test(requests_that_are_refused_do_not_change_the_rate),
		cmocka_unit_test(each_kind_of_request_has_a_quota_of_its_own),
		cmocka_unit_test(without_a_rate_there_is_no_limit),
		cmocka_unit_test(each_client_has_a_quota_for_reads),
		cmocka_unit_test(a_refused_request_uses_neither_quota),
		cmocka_unit_test(clients_are_forgotten_when_it_makes_no_difference),
		cmocka_unit_test(the_number_of_clients_is_bounded),
	};

	return cmocka_run_group_tests_name("emulator quota", tests, NULL, NULL);
}
