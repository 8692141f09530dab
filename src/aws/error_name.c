/*
 * error_name.c
 *		What a failed answer calls its error, and what must not be shown of it.
 */
#include <string.h>

#include "aws/error_name.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Not isalnum(): the answer must not depend on the locale. */
static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool
iotdata_error_name(IotDataBuffer *out, const char *raw, size_t length)
{
	size_t		begin = 0;
	size_t		end = 0;

	while (end < length && raw[end] != ':')
	{
		if (raw[end++] == '#')
			begin = end;
	}
	while (begin < end && is_blank(raw[begin]))
		begin++;
	while (end > begin && is_blank(raw[end - 1]))
		end--;

	if (begin == end)
		return false;
	for (size_t at = begin; at < end; at++)
	{
		if (!is_name_character(raw[at]))
			return false;
	}
	iotdata_buffer_append(out, raw + begin, end - begin);
	return !out->overflowed;
}

void
iotdata_redact(char *text, size_t length, const char *secret)
{
	size_t		secret_length = (secret == NULL) ? 0 : strlen(secret);
	size_t		hidden_end = 0;

	if (secret_length == 0)
		return;

	/*
	 * A byte is overwritten only when no occurrence can begin at or before it
	 * any more, so that occurrences that overlap are all found.
	 */
	for (size_t at = 0; at < length; at++)
	{
		if (length - at >= secret_length &&
			memcmp(text + at, secret, secret_length) == 0)
			hidden_end = at + secret_length;
		if (at < hidden_end)
			text[at] = '*';
	}
}
