/*
 * renewal_test.c
 *		When temporary credentials are renewed.
 */
#include "unit.h"

#include "aws/renewal.h"

static void
credentials_of_hours_are_renewed_in_the_last_quarter_of_an_hour(void **state)
{
	(void) state;
	for (int64_t life = 3600; life <= 12 * 3600; life += 3600)
	{
		assert_int_equal(iotdata_renewal(1000, 1000 + life, 1000), IOTDATA_RENEWAL_NONE);
		assert_int_equal(iotdata_renewal(1000, 1000 + life, 1000 + life - 901), IOTDATA_RENEWAL_NONE);
		assert_int_equal(iotdata_renewal(1000, 1000 + life, 1000 + life - 900), IOTDATA_RENEWAL_ADVISABLE);
		assert_int_equal(iotdata_renewal(1000, 1000 + life, 1000 + life - 601), IOTDATA_RENEWAL_ADVISABLE);
		assert_int_equal(iotdata_renewal(1000, 1000 + life, 1000 + life - 600), IOTDATA_RENEWAL_NEEDED);
		assert_int_equal(iotdata_renewal(1000, 1000 + life, 1000 + life + 5), IOTDATA_RENEWAL_NEEDED);
	}
}

static void
short_lived_credentials_are_used_for_most_of_their_life(void **state)
{
	(void) state;
	for (int64_t life = 1; life <= 900; life++)
	{
		int64_t		unused = 0;

		while (iotdata_renewal(0, life, life - unused) != IOTDATA_RENEWAL_NONE && unused < life)
			unused++;
		assert_true(unused - 1 <= life / 4);
	}
}

static void
expired_credentials_are_not_used(void **state)
{
	(void) state;
	assert_int_equal(iotdata_renewal(100, 100, 100), IOTDATA_RENEWAL_NEEDED);
	assert_int_equal(iotdata_renewal(100, 50, 100), IOTDATA_RENEWAL_NEEDED);
	assert_int_equal(iotdata_renewal(100, 105, 105), IOTDATA_RENEWAL_NEEDED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_of_hours_are_renewed_in_the_last_quarter_of_an_hour),
		cmocka_unit_test(short_lived_credentials_are_used_for_most_of_their_life),
		cmocka_unit_test(expired_credentials_are_not_used),
	};

	return cmocka_run_group_tests_name("renewal", tests, NULL, NULL);
}
