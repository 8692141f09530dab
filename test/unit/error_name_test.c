/*
 * error_name_test.c
 *		What a failed answer calls its error, and what must not be shown of it.
 */
#include "unit.h"

#include "aws/error_name.h"

/* Forms that AWS's services have sent, and others that they could send. */
static const struct
{
	const char *raw;
	const char *name;			/* NULL: none */
}			names[] = {
	{"ThrottlingException", "ThrottlingException"},
	{"ThrottlingException:http://internal.amazon.com/coral/", "ThrottlingException"},
	{"ThrottlingException:", "ThrottlingException"},
	{"aws.iot#ThrottlingException", "ThrottlingException"},
	{"aws.iot#ThrottlingException:http://x/", "ThrottlingException"},
	{"com.amazonaws.iot#ns#ResourceNotFoundException", "ResourceNotFoundException"},
	{"aws.iot#ThrottlingException:http://x/#fragment", "ThrottlingException"},
	{"#ForbiddenException", "ForbiddenException"},
	{"  ForbiddenException\t", "ForbiddenException"},
	{"aws.iot# ForbiddenException :x", "ForbiddenException"},
	{" \t aws.iot#ForbiddenException", "ForbiddenException"},
	{"InternalFailure", "InternalFailure"},
	{"a", "a"},
	{"503", "503"},
	{"Some_error-name.v2", "Some_error-name.v2"},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"},
	{"", NULL},
	{" ", NULL},
	{"\t \t", NULL},
	{":", NULL},
	{"#", NULL},
	{":ThrottlingException", NULL},
	{"aws.iot#", NULL},
	{"aws.iot#:http://x/", NULL},
	{"aws.iot# \t:http://x/", NULL},
	{"ThrottlingException#", NULL},
	{"Throttling Exception", NULL},
	{"Throttling\nException", NULL},
	{"ThrottlingException\r", NULL},
	{"ThrottlingException\x7f", NULL},
	{"<html>", NULL},
	{"a/b", NULL},
	{"a'b", NULL},
	{"Fehl\xc3\xa9r", NULL},
};

static void
error_names_are_found_in_every_form(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(names); i++)
	{
		size_t		length = strlen(names[i].raw);
		char	   *raw = exact_copy(names[i].raw, length);
		char		storage[128];
		IotDataBuffer out;
		bool		found;

		iotdata_buffer_init(&out, storage, sizeof(storage));
		iotdata_buffer_append_string(&out, "before ");
		found = iotdata_error_name(&out, raw, length);
		if (found != (names[i].name != NULL))
			fail_msg("\"%s\" %s", names[i].raw, found ? "is" : "is not");
		assert_memory_equal(storage, "before ", 7);
		assert_string_equal(storage + 7,
							found ? names[i].name : "");
		assert_false(out.overflowed);
		free(raw);
	}
}

static void
only_bytes_of_names_are_taken(void **state)
{
	(void) state;
	for (int i = 0; i < 256; i++)
	{
		char		raw[3] = {'a', (char) i, 'b'};
		char		storage[8];
		IotDataBuffer out;
		bool		taken;

		taken = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') ||
			(i >= '0' && i <= '9') || i == '.' || i == '_' || i == '-' ||
			i == ':' || i == '#';
		iotdata_buffer_init(&out, storage, sizeof(storage));
		assert_int_equal(iotdata_error_name(&out, raw, 3), taken);
	}
}

static void
a_name_that_does_not_fit_overflows(void **state)
{
	(void) state;
	for (size_t size = 1; size <= 6; size++)
	{
		char	   *storage = malloc(size);
		IotDataBuffer out;

		iotdata_buffer_init(&out, storage, size);
		assert_int_equal(iotdata_error_name(&out, "x#Error:y", 9), size == 6);
		assert_int_equal(out.overflowed, size < 6);
		assert_string_equal(storage, size < 6 ? "" : "Error");
		free(storage);
	}
}

static const struct
{
	const char *text;
	const char *secret;
	const char *redacted;
}			redactions[] = {
	{"the key is s3cr3t.", "s3cr3t", "the key is ******."},
	{"s3cr3t at the beginning", "s3cr3t", "****** at the beginning"},
	{"at the end s3cr3t", "s3cr3t", "at the end ******"},
	{"s3cr3t", "s3cr3t", "******"},
	{"s3cr3ts3cr3t", "s3cr3t", "************"},
	{"s3cr3t and s3cr3t", "s3cr3t", "****** and ******"},
	{"aaa", "aa", "***"},
	{"xaaax", "aa", "x***x"},
	{"abababa", "aba", "*******"},
	{"abacaba", "aba", "***c***"},
	{"ababcaba", "abab", "****caba"},
	{"ss3cr3t", "s3cr3t", "s******"},
	{"s3crs3cr3t", "s3cr3t", "s3cr******"},
	{"s3cr3", "s3cr3t", "s3cr3"},
	{"S3CR3T", "s3cr3t", "S3CR3T"},
	{"a*b**", "*", "a*b**"},
	{"a**b", "**b", "a***"},
	{"x", "x", "*"},
	{"", "s3cr3t", ""},
	{"nothing", "", "nothing"},
	{"nothing", NULL, "nothing"},
	{"", "", ""},
};

static void
secrets_are_overwritten(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(redactions); i++)
	{
		size_t		length = strlen(redactions[i].text);
		char	   *text = exact_copy(redactions[i].text, length);

		iotdata_redact(text, length, redactions[i].secret);
		if (memcmp(text, redactions[i].redacted, length) != 0)
			fail_msg("\"%s\" without \"%s\" is \"%.*s\"", redactions[i].text,
					 redactions[i].secret, (int) length, text);
		free(text);
	}
}

static void
bytes_beyond_the_length_are_left_alone(void **state)
{
	char		text[] = "s3cr3ts3cr3t";

	(void) state;
	iotdata_redact(text, 11, "s3cr3t");
	assert_string_equal(text, "******s3cr3t");
}

static void
texts_with_nul_bytes_are_redacted_whole(void **state)
{
	char		text[] = "a\0s3cr3t\0b";

	(void) state;
	iotdata_redact(text, sizeof(text), "s3cr3t");
	assert_memory_equal(text, "a\0******\0b", sizeof(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_names_are_found_in_every_form),
		cmocka_unit_test(only_bytes_of_names_are_taken),
		cmocka_unit_test(a_name_that_does_not_fit_overflows),
		cmocka_unit_test(secrets_are_overwritten),
		cmocka_unit_test(bytes_beyond_the_length_are_left_alone),
		cmocka_unit_test(texts_with_nul_bytes_are_redacted_whole),
	};

	return cmocka_run_group_tests_name("error_name", tests, NULL, NULL);
}
