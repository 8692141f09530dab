/*
 * iso8601_test.c
 *		Times as AWS's services write them.
 */
#include "unit.h"

#include "aws/iso8601.h"

static void
times_are_read(void **state)
{
	static const struct
	{
		const char *text;
		int64_t		seconds;
	}			cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59Z", -1},
		{"2026-06-01T12:00:00Z", INT64_C(1780315200)},
		{"2026-06-01T12:00:00.999Z", INT64_C(1780315200)},
		{"2026-06-01T14:00:00+02:00", INT64_C(1780315200)},
		{"2026-06-01T06:30:00-0530", INT64_C(1780315200)},
		{"2000-02-29T00:00:00Z", INT64_C(951782400)},
		{"2024-12-31T23:59:60Z", INT64_C(1735689600)},
		{"0001-01-01T00:00:00Z", INT64_C(-62135596800)},
		{"9999-12-31T23:59:59Z", INT64_C(253402300799)}
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		int64_t		seconds;

		assert_true(iotdata_iso8601_parse(cases[i].text, &seconds));
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "never", "2026-06-01", "2026-06-01T12:00:00", "2026-06-01 12:00:00Z", "2026-6-1T12:00:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-06-00T00:00:00Z", "2026-06-01T24:00:00Z", "2026-06-01T12:60:00Z", "2026-06-01T12:00:61Z",
		"2026-06-01T12:00:00.Z", "2026-06-01T12:00:00Zx", " 2026-06-01T12:00:00Z", "2026-06-01T12:00:00+2:00",
		"2026-06-01T12:00:00+24:00", "2026-06-01T12:00:00+02:60", "0000-01-01T00:00:00Z", "1780315200"
	};
	int64_t		seconds;

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(texts); i++)
	{
		if (iotdata_iso8601_parse(texts[i], &seconds))
			fail_msg("%s is taken", texts[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(what_is_no_time_is_refused),
	};

	return cmocka_run_group_tests_name("iso8601", tests, NULL, NULL);
}
