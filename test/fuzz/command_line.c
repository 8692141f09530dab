/*
 * command_line.c
 *		Command lines: the words are in the line, one after the other, and each,
 *		quoted, is split into itself.
 */
#include "aws/command_line.h"
#include "fuzz.h"

#define MOST 64

/* In single quotes, but for single quotes. */
static char *
quote(const char *word)
{
	char	   *quoted = malloc(4 * strlen(word) + 3);
	char	   *to = quoted;

	CHECK(quoted != NULL);
	*to++ = '\'';
	for (; *word != '\0'; word++)
	{
		if (*word == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *word;
	}
	*to++ = '\'';
	*to = '\0';
	return quoted;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = fuzz_text(data, size);
	char	   *words[MOST];
	size_t		count = 0;
	IotDataCommandLineStatus status = iotdata_command_line_split(text, words, MOST, &count);

	CHECK((status == IOTDATA_COMMAND_LINE_OK) == (iotdata_command_line_explain(status) == NULL));
	for (size_t i = 0; status == IOTDATA_COMMAND_LINE_OK && i < count; i++)
	{
		char	   *quoted = quote(words[i]);
		char	   *again;
		size_t		one;

		CHECK(words[i] >= text && words[i] + strlen(words[i]) <= text + size);
		CHECK(i == 0 || words[i] > words[i - 1] + strlen(words[i - 1]));
		CHECK(iotdata_command_line_split(quoted, &again, 1, &one) == IOTDATA_COMMAND_LINE_OK);
		CHECK(one == 1 && strcmp(again, words[i]) == 0);
		free(quoted);
	}
	free(text);
	return 0;
}
