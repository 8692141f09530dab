/*
 * command_line.c
 *		A command line split into words, as AWS's CLI splits that of a
 *		credential_process.
 *
 * The CLI leaves this to Python's shlex in its POSIX mode. That differs from a
 * shell in two things that can be met: a backslash before a line end does not
 * remove it, and '#' does not begin a comment.
 */
#include <string.h>

#include "aws/command_line.h"

/* What has not been read yet. Every function below goes past what it reads. */
typedef struct Cursor
{
	const char *at;
	const char *end;
} Cursor;

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What follows a backslash outside of quotes. */
static const char *
read_escaped(Cursor *cursor, IotDataBuffer *words)
{
	if (cursor->at == cursor->end)
		return "a backslash at the end";
	iotdata_buffer_append(words, cursor->at++, 1);
	return NULL;
}

/* What follows an opening quote, and the closing one. */
static const char *
read_quoted(Cursor *cursor, IotDataBuffer *words, char quote)
{
	while (cursor->at < cursor->end)
	{
		char		c = *cursor->at++;

		if (c == quote)
			return NULL;
		if (quote == '"' && c == '\\' && cursor->at < cursor->end &&
			(*cursor->at == '"' || *cursor->at == '\\'))
			c = *cursor->at++;
		iotdata_buffer_append(words, &c, 1);
	}
	return "a quote that is not closed";
}

/* A word that begins here, and its NUL. */
static const char *
read_word(Cursor *cursor, IotDataBuffer *words)
{
	const char *why = NULL;

	while (why == NULL && cursor->at < cursor->end && !is_blank(*cursor->at))
	{
		char		c = *cursor->at++;

		if (c == '\\')
			why = read_escaped(cursor, words);
		else if (c == '"' || c == '\'')
			why = read_quoted(cursor, words, c);
		else
			iotdata_buffer_append(words, &c, 1);
	}
	iotdata_buffer_append(words, "", 1);
	return why;
}

int
iotdata_command_line_split(IotDataBuffer *words, const char *text,
						   size_t length, const char **why)
{
	Cursor		cursor = {text, text + length};
	int			count = 0;

	*why = NULL;
	if (length > 0 && memchr(text, '\0', length) != NULL)
		*why = "a NUL byte";
	while (*why == NULL)
	{
		while (cursor.at < cursor.end && is_blank(*cursor.at))
			cursor.at++;
		if (cursor.at == cursor.end)
			break;
		*why = read_word(&cursor, words);
		count++;
	}
	if (*why == NULL && words->overflowed)
		*why = "too long";
	return *why == NULL ? count : -1;
}
