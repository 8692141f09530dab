/*
 * access_key_test.c
 *		The account in the ID of an access key, against published examples.
 */
#include "unit.h"

#include "aws/access_key.h"

static void
an_access_key_tells_its_account(void **state)
{
	/* two that have been published with their accounts, and the two ends */
	static const char *const examples[][2] = {
		{"ASIAQNZGKIQY56JQ7WML", "029608264753"},
		{"AKIASP2TPHJSQH3FJXYZ", "171436882533"},
		{"ASIAY34FZKBOKMUTVV7A", "609629065308"},
		{"ASIAQAAAAAAAGMKEM7X5", "000000000000"},
		{"AKIA6RVFFB77QAAAAAAA", "999999999999"},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(examples); i++)
	{
		char		account[IOTDATA_ACCOUNT_ID_SIZE];

		assert_true(iotdata_access_key_account(account, examples[i][0]));
		assert_string_equal(account, examples[i][1]);
	}
}

static void
a_string_that_is_no_new_access_key_tells_no_account(void **state)
{
	static const char *const others[] = {
		"", "AKIA", "ASIAQNZGKIQY5", "AKIAIOSFODNN7EXAMPLE", "AKIAJ2E6QGR2WZILJFMA",
		"AROAQNZGKIQY56JQ7WML", "asiaqnzgkiqy56jq7wml", "ASIAQNZGK1QY56JQ7WML",
		"AKIDEXAMPLE", "AKIA6RVFFCAAAAAAAAAA", "AKIA7777777777777777"
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(others); i++)
	{
		char		account[IOTDATA_ACCOUNT_ID_SIZE];
		char	   *key = exact_copy(others[i], strlen(others[i]) + 1);

		assert_false(iotdata_access_key_account(account, key));
		free(key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_access_key_tells_its_account),
		cmocka_unit_test(a_string_that_is_no_new_access_key_tells_no_account),
	};

	return cmocka_run_group_tests_name("access_key", tests, NULL, NULL);
}
