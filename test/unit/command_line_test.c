/*
 * command_line_test.c
 *		Command lines as words.
 */
#include "unit.h"

#include "aws/command_line.h"

#define MOST 8

/* The words of a line, each in angle brackets, or what is wrong with it. */
static void
splits(const char *line, const char *expected)
{
	char	   *text = exact_copy(line, strlen(line) + 1);
	char	   *words[MOST];
	size_t		count;
	char		shown[200] = "";
	IotDataCommandLineStatus status = iotdata_command_line_split(text, words, MOST, &count);

	for (size_t i = 0; status == IOTDATA_COMMAND_LINE_OK && i < count; i++)
		snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "<%s>", words[i]);
	if (status != IOTDATA_COMMAND_LINE_OK)
		snprintf(shown, sizeof(shown), "%s", iotdata_command_line_explain(status));
	else
		assert_null(iotdata_command_line_explain(status));
	assert_string_equal(shown, expected);
	free(text);
}

/* Expected as Python's shlex.split has it. */
static void
words_are_those_that_a_shell_makes(void **state)
{
	(void) state;
	splits("", "");
	splits(" \t\r\n", "");
	splits("/bin/program", "</bin/program>");
	splits("  a b\tc\nd  ", "<a><b><c><d>");
	splits("'a b' \"c d\"", "<a b><c d>");
	splits("'' \"\" a''b", "<><><ab>");
	splits("a'b'\"c\"d", "<abcd>");
	splits("a\\ b \\\\ \\'", "<a b><\\><'>");
	splits("'a\\' \"b\\\"c\\\\d\\e\"", "<a\\><b\"c\\d\\e>");
	splits("a\\\nb", "<a\nb>");
}

static void
nothing_else_means_anything(void **state)
{
	(void) state;
	splits("$HOME `b` ~ * |c; d&e #f", "<$HOME><`b`><~><*><|c;><d&e><#f>");
}

static void
what_is_open_at_the_end_is_an_error(void **state)
{
	(void) state;
	splits("a 'b", "A quote is not closed.");
	splits("a \"b\\\"", "A quote is not closed.");
	splits("a \\", "There is nothing behind the backslash at the end.");
	splits("1 2 3 4 5 6 7 8", "<1><2><3><4><5><6><7><8>");
	splits("1 2 3 4 5 6 7 8 9", "It has too many words.");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_that_a_shell_makes),
		cmocka_unit_test(nothing_else_means_anything),
		cmocka_unit_test(what_is_open_at_the_end_is_an_error),
	};

	return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
