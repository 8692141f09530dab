/*
 * utf8_test.c
 *		UTF-8, character by character.
 */
#include "unit.h"

#include "aws/utf8.h"

/* Write a code point as RFC 3629 has it, whether it is one or not. */
static size_t
encode(char *bytes, uint32_t code, size_t length)
{
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length - 1; i > 0; i--)
	{
		bytes[i] = (char) (0x80 | (code & 0x3f));
		code >>= 6;
	}
	bytes[0] = (char) (marks[length] | code);
	return length;
}

static void
every_code_point_has_its_length(void **state)
{
	(void) state;
	for (uint32_t code = 0; code <= 0x10ffff; code++)
	{
		size_t		length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		bool		surrogate = code >= 0xd800 && code <= 0xdfff;
		char		bytes[4];

		encode(bytes, code, length);
		assert_int_equal(iotdata_utf8_length(bytes, length), surrogate ? 0 : length);
	}
}

/* How many sequences of this length, of all that there are, are a character? */
static uint32_t
count_characters(size_t length)
{
	uint64_t	all = (uint64_t) 1 << (8 * length);
	uint32_t	count = 0;

	for (uint64_t n = 0; n < all; n++)
	{
		char		bytes[3];

		for (size_t i = 0; i < length; i++)
			bytes[i] = (char) (n >> (8 * i));
		count += iotdata_utf8_length(bytes, length) == length;
	}
	return count;
}

static void
no_other_sequence_is_a_character(void **state)
{
	(void) state;
	assert_int_equal(count_characters(1), 0x80);
	assert_int_equal(count_characters(2), 0x800 - 0x80);
	assert_int_equal(count_characters(3), 0x10000 - 0x800 - 0x800);
}

static void
four_bytes_that_are_no_character_are_refused(void **state)
{
	static const char *const sequences[] = {
		"\xf0\x8f\xbf\xbf",		/* longer than it need be */
		"\xf4\x90\x80\x80",		/* beyond U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80",
		"\xff\xbf\xbf\xbf",
		"\xf1\x80\x80\x20",
		"\xf1\x80\x20\x80",
		"\xf1\x20\x80\x80",
		"\xf1\x80\x80\xc0",
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(sequences); i++)
		assert_int_equal(iotdata_utf8_length(sequences[i], 4), 0);
}

static void
a_character_that_is_cut_off_is_refused(void **state)
{
	static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\xb0"};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(characters); i++)
	{
		for (size_t left = 0; left <= i; left++)
		{
			char	   *copy = exact_copy(characters[i], left);

			assert_int_equal(iotdata_utf8_length(copy, left), 0);
			free(copy);
		}
		assert_int_equal(iotdata_utf8_length(characters[i], i + 2), i + 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_has_its_length),
		cmocka_unit_test(no_other_sequence_is_a_character),
		cmocka_unit_test(four_bytes_that_are_no_character_are_refused),
		cmocka_unit_test(a_character_that_is_cut_off_is_refused),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
