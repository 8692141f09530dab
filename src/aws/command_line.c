/*
 * command_line.c
 *		A command line as words, by the rules of a POSIX shell's quotes.
 */
#include "aws/command_line.h"

#include <stdbool.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What is between quotes, from behind the first of them. */
static IotDataCommandLineStatus
take_quoted(char **from, char **to, char quote)
{
	char	   *c = *from;

	for (; *c != quote; c++)
	{
		if (*c == '\0')
			return IOTDATA_COMMAND_LINE_OPEN_QUOTE;
		if (quote == '"' && *c == '\\' && (c[1] == '"' || c[1] == '\\'))
			c++;
		*(*to)++ = *c;
	}
	*from = c + 1;
	return IOTDATA_COMMAND_LINE_OK;
}

/* One word; "from" is left behind it, where "to" may have got to, too. */
static IotDataCommandLineStatus
take_word(char **from, char **to)
{
	while (**from != '\0' && !is_blank(**from))
	{
		char		c = *(*from)++;

		if (c == '\'' || c == '"')
		{
			IotDataCommandLineStatus status = take_quoted(from, to, c);

			if (status != IOTDATA_COMMAND_LINE_OK)
				return status;
			continue;
		}
		if (c == '\\')
		{
			c = *(*from)++;
			if (c == '\0')
				return IOTDATA_COMMAND_LINE_OPEN_ESCAPE;
		}
		*(*to)++ = c;
	}
	return IOTDATA_COMMAND_LINE_OK;
}

IotDataCommandLineStatus
iotdata_command_line_split(char *text, char **words, size_t size,
						   size_t *count)
{
	char	   *from = text;

	*count = 0;
	for (;;)
	{
		IotDataCommandLineStatus status;
		char	   *to;
		bool		last;

		while (is_blank(*from))
			from++;
		if (*from == '\0')
			return IOTDATA_COMMAND_LINE_OK;
		if (*count == size)
			return IOTDATA_COMMAND_LINE_TOO_LONG;
		words[*count] = to = from;
		status = take_word(&from, &to);
		if (status != IOTDATA_COMMAND_LINE_OK)
			return status;
		(*count)++;
		last = *from == '\0';
		*to = '\0';
		if (last)
			return IOTDATA_COMMAND_LINE_OK;
		from++;
	}
}

const char *
iotdata_command_line_explain(IotDataCommandLineStatus status)
{
	switch (status)
	{
		case IOTDATA_COMMAND_LINE_OK:
			break;
		case IOTDATA_COMMAND_LINE_OPEN_QUOTE:
			return "A quote is not closed.";
		case IOTDATA_COMMAND_LINE_OPEN_ESCAPE:
			return "There is nothing behind the backslash at the end.";
		case IOTDATA_COMMAND_LINE_TOO_LONG:
			return "It has too many words.";
	}
	return NULL;
}
