/*
 * command_line_test.c
 *		A command line split into words, as AWS's CLI splits that of a
 *		credential_process.
 */
#include "unit.h"

#include "aws/command_line.h"

#define MAX_WORDS 4

/* What Python's shlex.split makes of them. */
static const struct
{
	const char *line;
	const char *words[MAX_WORDS + 1];
}			lines[] = {
	{"", {NULL}},
	{" \t\r\n ", {NULL}},
	{"/bin/program", {"/bin/program", NULL}},
	{"  program  --option\tvalue\r\n", {"program", "--option", "value", NULL}},
	{"a\nb", {"a", "b", NULL}},
	{"a\vb\fc", {"a\vb\fc", NULL}},
	{"a\xc2\xa0" "b", {"a\xc2\xa0" "b", NULL}},
	{"'a b' \"c d\"", {"a b", "c d", NULL}},
	{"a'b c'd\"e f\"g", {"ab cde fg", NULL}},
	{"'' \"\"", {"", "", NULL}},
	{"''", {"", NULL}},
	{"a '' b", {"a", "", "b", NULL}},
	{"''''", {"", NULL}},
	{"a''", {"a", NULL}},
	{"'a\"b' \"a'b\"", {"a\"b", "a'b", NULL}},
	{"'a\\b' 'c\\'", {"a\\b", "c\\", NULL}},
	{"\"a\\\"b\" \"c\\\\d\"", {"a\"b", "c\\d", NULL}},
	{"\"a\\b\" \"c\\$d\" \"e\\'f\"", {"a\\b", "c\\$d", "e\\'f", NULL}},
	{"\"a\\\nb\"", {"a\\\nb", NULL}},
	{"\"\\\\\"", {"\\", NULL}},
	{"a\\ b \\\"c \\'d \\\\e", {"a b", "\"c", "'d", "\\e", NULL}},
	{"\\a\\n", {"an", NULL}},
	{"a\\\nb", {"a\nb", NULL}},
	{"\\\n", {"\n", NULL}},
	{"\\ ", {" ", NULL}},
	{"a # b", {"a", "#", "b", NULL}},
	{"#a", {"#a", NULL}},
	{"a;b|c&d>e", {"a;b|c&d>e", NULL}},
	{"$HOME ~ *.c `a`", {"$HOME", "~", "*.c", "`a`", NULL}},
	{"--name=\"J\xc3\xb6rg M\"", {"--name=J\xc3\xb6rg M", NULL}},
	{"C:\\Program\\ Files", {"C:Program Files", NULL}},
};

static const struct
{
	const char *line;
	const char *why;
}			bad_lines[] = {
	{"'", "a quote that is not closed"},
	{"\"", "a quote that is not closed"},
	{"a 'b c", "a quote that is not closed"},
	{"a \"b c", "a quote that is not closed"},
	{"'a\\'b'", "a quote that is not closed"},
	{"\"a\\\"", "a quote that is not closed"},
	{"\"a\\", "a quote that is not closed"},
	{"'a'\"b'", "a quote that is not closed"},
	{"\\", "a backslash at the end"},
	{"a b\\", "a backslash at the end"},
	{"''\\", "a backslash at the end"},
};

/* Split into storage of this size; the line ends where its storage does. */
static int
split(IotDataBuffer *words, size_t size, const char *line, size_t length,
	  const char **why)
{
	char	   *copy = exact_copy(line, length);
	int			count;

	iotdata_buffer_init(words, malloc(size), size);
	count = iotdata_command_line_split(words, copy, length, why);
	free(copy);
	return count;
}

static void
lines_are_split_as_the_cli_does(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(lines); i++)
	{
		size_t		length = strlen(lines[i].line);
		const char *why = "?";
		IotDataBuffer words;
		int			count = split(&words, length + 2, lines[i].line, length, &why);
		const char *word = words.data;

		assert_null(why);
		for (int n = 0; lines[i].words[n] != NULL; n++)
		{
			assert_true(n < count);
			assert_string_equal(word, lines[i].words[n]);
			word += strlen(word) + 1;
			count -= lines[i].words[n + 1] == NULL ? n + 1 : 0;
		}
		assert_int_equal(count, 0);
		assert_ptr_equal(word, words.data + words.length);
		free(words.data);
	}
}

static void
lines_that_end_too_early_are_refused(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(bad_lines); i++)
	{
		size_t		length = strlen(bad_lines[i].line);
		const char *why = NULL;
		IotDataBuffer words;

		assert_int_equal(split(&words, length + 2, bad_lines[i].line, length, &why), -1);
		assert_string_equal(why, bad_lines[i].why);
		free(words.data);
	}
}

static void
a_nul_is_refused(void **state)
{
	static const char line[] = "a\0b";

	(void) state;
	for (size_t begin = 0; begin < 2; begin++)
	{
		const char *why = NULL;
		IotDataBuffer words;

		assert_int_equal(split(&words, 16, line + begin, 3 - begin, &why), -1);
		assert_string_equal(why, "a NUL byte");
		free(words.data);
	}
}

static void
words_fit_or_are_refused(void **state)
{
	static const char line[] = "a 'b c' d";
	const size_t needed = sizeof("a\0b c\0d") + 1;

	(void) state;
	for (size_t size = 1; size <= sizeof(line) + 1; size++)
	{
		const char *why = NULL;
		IotDataBuffer words;
		int			count = split(&words, size, line, sizeof(line) - 1, &why);

		assert_int_equal(count, size < needed ? -1 : 3);
		if (size < needed)
			assert_string_equal(why, "too long");
		free(words.data);
	}
}

static void
words_are_appended_to_what_is_there(void **state)
{
	const char *why;
	IotDataBuffer words;
	char		storage[16];

	(void) state;
	iotdata_buffer_init(&words, storage, sizeof(storage));
	iotdata_buffer_append(&words, "x", 2);
	assert_int_equal(iotdata_command_line_split(&words, "a b", 3, &why), 2);
	assert_int_equal(words.length, 6);
	assert_memory_equal(storage, "x\0a\0b", 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_split_as_the_cli_does),
		cmocka_unit_test(lines_that_end_too_early_are_refused),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(words_fit_or_are_refused),
		cmocka_unit_test(words_are_appended_to_what_is_there),
	};

	return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
