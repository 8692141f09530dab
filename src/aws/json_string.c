/*
 * json_string.c
 *		A string of a JSON text (RFC 8259 section 7).
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "aws/json_string.h"
#include "aws/utf8.h"

/* Four hex digits, which are gone past; -1 when they are not. */
static int32_t
read_hex(char **at)
{
	int32_t		value = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = **at;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
		++*at;
	}
	return value;
}

/* Write a character as UTF-8; returns what is behind it. */
static char *
write_utf8(char *to, int32_t code)
{
	if (code < 0x80)
		*to++ = (char) code;
	else if (code < 0x800)
	{
		*to++ = (char) (0xc0 | code >> 6);
		*to++ = (char) (0x80 | (code & 0x3f));
	}
	else if (code < 0x10000)
	{
		*to++ = (char) (0xe0 | code >> 12);
		*to++ = (char) (0x80 | (code >> 6 & 0x3f));
		*to++ = (char) (0x80 | (code & 0x3f));
	}
	else
	{
		*to++ = (char) (0xf0 | code >> 18);
		*to++ = (char) (0x80 | (code >> 12 & 0x3f));
		*to++ = (char) (0x80 | (code >> 6 & 0x3f));
		*to++ = (char) (0x80 | (code & 0x3f));
	}
	return to;
}

/* What follows "\u"; of a pair of surrogates both halves. */
static const char *
read_unicode(char **at, char **to)
{
	int32_t		code = read_hex(at);
	int32_t		low;

	if (code < 0)
		return "not a valid escape";
	if (code == 0)
		return "a NUL in a string";
	if (code >= 0xd800 && code <= 0xdfff)
	{
		if (code > 0xdbff || strncmp(*at, "\\u", 2) != 0)
			return "a lone surrogate";
		*at += 2;
		low = read_hex(at);
		if (low < 0xdc00 || low > 0xdfff)
			return "a lone surrogate";
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = write_utf8(*to, code);
	return NULL;
}

/* What follows a backslash. */
static const char *
read_escape(char **at, char **to)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *found = **at != '\0' ? strchr(escapes, **at) : NULL;

	if (found != NULL)
	{
		*(*to)++ = meanings[found - escapes];
		++*at;
		return NULL;
	}
	if (**at != 'u')
		return "not a valid escape";
	++*at;
	return read_unicode(at, to);
}

/* One character beyond ASCII. */
static const char *
copy_utf8(char **at, const char *end, char **to)
{
	size_t		length = iotdata_utf8_length(*at, (size_t) (end - *at));

	if (length == 0)
		return "not valid UTF-8";
	memmove(*to, *at, length);
	*at += length;
	*to += length;
	return NULL;
}

const char *
iotdata_json_unescape(char **at, const char *end, size_t *length)
{
	char	   *begin = ++*at;
	char	   *to = begin;
	const char *why = NULL;

	while (why == NULL && *at < end)
	{
		unsigned char c = (unsigned char) **at;

		if (c >= 0x80)
			why = copy_utf8(at, end, &to);
		else if (c < 0x20)
			why = "a control character in a string";
		else
		{
			++*at;
			if (c == '"')
			{
				*to = '\0';
				*length = (size_t) (to - begin);
				return NULL;
			}
			if (c == '\\')
				why = read_escape(at, &to);
			else
				*to++ = (char) c;
		}
	}
	return why != NULL ? why : "a string without an end";
}
