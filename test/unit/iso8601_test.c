/*
 * iso8601_test.c
 *		Times as AWS's answers have them.
 */
#include "unit.h"

#include <time.h>

#include "aws/iso8601.h"

static const struct
{
	const char *text;
	int64_t		seconds;
}			times[] = {
	{"1970-01-01T00:00:00Z", 0},
	{"1970-01-01T00:00:01Z", 1},
	{"1969-12-31T23:59:59Z", -1},
	{"2026-11-26T05:00:00Z", 1795669200},
	{"2026-11-26t05:00:00z", 1795669200},
	{"2026-11-26 05:00:00Z", 1795669200},
	{"2026-11-26T05:00:00.000Z", 1795669200},
	{"2026-11-26T05:00:00.999999999Z", 1795669200},
	{"2026-11-26T05:00:00,5Z", 1795669200},
	{"1969-12-31T23:59:58.5Z", -2},
	{"2026-11-26T05:00:00+00:00", 1795669200},
	{"2026-11-26T05:00:00-00:00", 1795669200},
	{"2026-11-26T07:30:00+02:30", 1795669200},
	{"2026-11-26T07:30:00+0230", 1795669200},
	{"2026-11-26T07:00:00+02", 1795669200},
	{"2026-11-25T21:00:00-08:00", 1795669200},
	{"2026-11-25T21:00:00.25-0800", 1795669200},
	{"2026-11-25 21:00:00-08", 1795669200},
	{"2016-12-31T23:59:60Z", 1483228800},
	{"2000-02-29T00:00:00Z", 951782400},
	{"2024-02-29T00:00:00Z", 1709164800},
	{"2038-01-19T03:14:08Z", 2147483648},
	{"0001-01-01T00:00:00Z", -62135596800},
	{"9999-12-31T23:59:59Z", 253402300799},
	{"9999-12-31T23:59:59-23:59", 253402300799 + 86340},
};

static const char *const no_times[] = {
	"",
	"Z",
	"2026",
	"2026-11-26",
	"2026-11-26T05:00Z",
	"2026-11-26T05:00:00",		/* of which zone? */
	"2026-11-26T05:00:00.5",
	"2026-11-26T05:00:00.Z",
	"2026-11-26T05:00:00..5Z",
	"2026-11-26T05:00:00.5.5Z",
	"2026-11-26T05:00:00ZZ",
	"2026-11-26T05:00:00Z ",
	" 2026-11-26T05:00:00Z",
	"2026-11-26T05:00:00 Z",
	"2026-11-26T05:00:00Z\n",
	"2026-11-26  05:00:00Z",
	"2026-11-26_05:00:00Z",
	"2026/11/26T05:00:00Z",
	"20261126T050000Z",
	"26-11-26T05:00:00Z",
	"02026-11-26T05:00:00Z",
	"-2026-11-26T05:00:00Z",
	"+2026-11-26T05:00:00Z",
	"0000-11-26T05:00:00Z",
	"2026-00-26T05:00:00Z",
	"2026-13-26T05:00:00Z",
	"2026-1-26T05:00:00Z",
	"2026-11-00T05:00:00Z",
	"2026-11-31T05:00:00Z",
	"2026-02-29T05:00:00Z",
	"1900-02-29T05:00:00Z",
	"2024-02-30T05:00:00Z",
	"2026-11-26T24:00:00Z",
	"2026-11-26T5:00:00Z",
	"2026-11-26T05:60:00Z",
	"2026-11-26T05:00:61Z",
	"2026-11-26T05:00:0aZ",
	"2026-11-26T05-00-00Z",
	"2026-11-26T05:00:00+",
	"2026-11-26T05:00:00+1",
	"2026-11-26T05:00:00+01:",
	"2026-11-26T05:00:00+01:0",
	"2026-11-26T05:00:00+010",
	"2026-11-26T05:00:00+01:000",
	"2026-11-26T05:00:00+01:60",
	"2026-11-26T05:00:00+24:00",
	"2026-11-26T05:00:00UTC",
	"Thu, 26 Nov 2026 05:00:00 GMT",
	"1795669200",
};

static bool
parse(const char *text, size_t length, int64_t *seconds)
{
	char	   *copy = exact_copy(text, length);
	bool		parsed = iotdata_iso8601_parse(copy, length, seconds);

	free(copy);
	return parsed;
}

static void
times_become_seconds(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(times); i++)
	{
		int64_t		seconds = 42;

		if (!parse(times[i].text, strlen(times[i].text), &seconds))
			fail_msg("\"%s\" is not taken for a time", times[i].text);
		if (seconds != times[i].seconds)
			fail_msg("\"%s\" is %lld", times[i].text, (long long) seconds);
	}
}

static void
anything_else_is_refused(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(no_times); i++)
	{
		int64_t		seconds = 42;

		if (parse(no_times[i], strlen(no_times[i]), &seconds))
			fail_msg("\"%s\" is taken for a time", no_times[i]);
		assert_int_equal(seconds, 42);
	}
}

static void
a_nul_is_refused_wherever_it_is(void **state)
{
	const char	whole[] = "2026-11-26T05:00:00.5+01:00";

	(void) state;
	for (size_t at = 0; at < sizeof(whole); at++)
	{
		char		text[sizeof(whole)];
		int64_t		seconds;

		memcpy(text, whole, sizeof(whole));
		text[at] = '\0';
		assert_false(parse(text, sizeof(whole), &seconds));
		if (at < sizeof(whole) - 1)
			assert_false(parse(text, sizeof(whole) - 1, &seconds));
	}
}

static void
a_time_that_is_cut_off_is_refused(void **state)
{
	const char	whole[] = "2026-11-26T05:00:00.25Z";
	int64_t		seconds;

	(void) state;
	for (size_t length = 0; length < sizeof(whole) - 1; length++)
		assert_false(parse(whole, length, &seconds));
	assert_true(parse(whole, sizeof(whole) - 1, &seconds));
}

/* The C library's calendar is another one than ours. */
static void
every_day_is_that_of_the_calendar(void **state)
{
	const int64_t first = -2240524800;	/* 1899-01-01 */
	const int64_t last = 4165430400;	/* 2101-12-31 */

	(void) state;
	for (int64_t day = first; day <= last; day += 86400)
	{
		time_t		when = (time_t) (day + 43200);
		struct tm	tm;
		char		text[64];
		int64_t		seconds;

		assert_non_null(gmtime_r(&when, &tm));
		snprintf(text, sizeof(text), "%04d-%02d-%02dT12:00:00Z", tm.tm_year + 1900,
				 tm.tm_mon + 1, tm.tm_mday);
		assert_true(parse(text, strlen(text), &seconds));
		assert_true(seconds == (int64_t) when);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_become_seconds),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(a_nul_is_refused_wherever_it_is),
		cmocka_unit_test(a_time_that_is_cut_off_is_refused),
		cmocka_unit_test(every_day_is_that_of_the_calendar),
	};

	return cmocka_run_group_tests_name("iso8601", tests, NULL, NULL);
}
