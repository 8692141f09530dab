/*
 * json_check.c
 *		The tokens of a JSON text, checked before json-c reads it.
 *
 * json-c sees to the order of tokens, but takes tokens that are none (NaN,
 * 'text', comments) and a comma with nothing after it, and alters some values
 * that it cannot hold. What passes here it neither misreads nor alters.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "aws/json_check.h"
#include "aws/utf8.h"

#define MAX_DIGITS 19			/* of a 64-bit integer */

/* What has not been read yet. Every function below goes past what it reads. */
typedef struct Cursor
{
	const unsigned char *at;
	const unsigned char *end;
} Cursor;

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next byte, or a space at the end, where it is as good as nothing. */
static unsigned char
peek(const Cursor *cursor)
{
	return (cursor->at < cursor->end) ? *cursor->at : ' ';
}

/* Can this byte not follow a number or a word at once? */
static bool
goes_on(unsigned char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		c == '+' || c == '-' || c == '.' || c == '_';
}

/* Go past digits; how many? */
static size_t
skip_digits(Cursor *cursor)
{
	const unsigned char *begin = cursor->at;

	while (is_digit(peek(cursor)))
		cursor->at++;
	return (size_t) (cursor->at - begin);
}

/* Digits without leading zeros: do they fit 64 bits with this sign? */
static bool
fits_integer(const unsigned char *digits, size_t length, bool negative)
{
	const char *limit = negative ? "9223372036854775808" : "9223372036854775807";

	return length < MAX_DIGITS ||
		(length == MAX_DIGITS && memcmp(digits, limit, MAX_DIGITS) <= 0);
}

/* -? (0 | 1-9 digits) (. digits)? (e sign? digits)? (RFC 8259 section 6) */
static const char *
check_number(Cursor *cursor)
{
	static const char invalid[] = "not a valid number";
	bool		negative = (peek(cursor) == '-');
	bool		integer = true;
	const unsigned char *digits;
	size_t		length;

	if (negative)
		cursor->at++;
	digits = cursor->at;
	length = skip_digits(cursor);
	if (length == 0 || (length > 1 && digits[0] == '0'))
		return invalid;
	if (peek(cursor) == '.')
	{
		cursor->at++;
		integer = false;
		if (skip_digits(cursor) == 0)
			return invalid;
	}
	if (peek(cursor) == 'e' || peek(cursor) == 'E')
	{
		cursor->at++;
		integer = false;
		if (peek(cursor) == '+' || peek(cursor) == '-')
			cursor->at++;
		if (skip_digits(cursor) == 0)
			return invalid;
	}
	if (goes_on(peek(cursor)))
		return invalid;
	if (integer && !fits_integer(digits, length, negative))
		return "an integer beyond 64 bits";
	return NULL;
}

static const char *
check_word(Cursor *cursor)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		size_t		length = strlen(words[i]);

		if ((size_t) (cursor->end - cursor->at) >= length &&
			memcmp(cursor->at, words[i], length) == 0)
		{
			cursor->at += length;
			return goes_on(peek(cursor)) ? "not a valid word" : NULL;
		}
	}
	return "not a valid word";
}

/* One character beyond ASCII. */
static const char *
check_utf8(Cursor *cursor)
{
	size_t		length = iotdata_utf8_length((const char *) cursor->at,
											 (size_t) (cursor->end - cursor->at));

	if (length == 0)
		return "not valid UTF-8";
	cursor->at += length;
	return NULL;
}

/* Four hex digits; -1 when they are not. */
static int32_t
read_hex(Cursor *cursor)
{
	int32_t		value = 0;

	for (int i = 0; i < 4; i++)
	{
		unsigned char c = peek(cursor);

		if (is_digit(c))
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
		cursor->at++;
	}
	return value;
}

/* What follows "\u"; of a pair of surrogates both halves. */
static const char *
check_unicode_escape(Cursor *cursor)
{
	int32_t		code = read_hex(cursor);

	if (code < 0)
		return "not a valid escape";
	if (code == 0)
		return "a NUL in a string";
	if (code < 0xd800 || code > 0xdfff)
		return NULL;

	if (code <= 0xdbff && peek(cursor) == '\\')
	{
		cursor->at++;
		if (peek(cursor) == 'u')
		{
			cursor->at++;
			code = read_hex(cursor);
			if (code >= 0xdc00 && code <= 0xdfff)
				return NULL;
		}
	}
	return "a lone surrogate";
}

/* What follows a backslash. */
static const char *
check_escape(Cursor *cursor)
{
	switch (peek(cursor))
	{
		case '"':
		case '\\':
		case '/':
		case 'b':
		case 'f':
		case 'n':
		case 'r':
		case 't':
			cursor->at++;
			return NULL;
		case 'u':
			cursor->at++;
			return check_unicode_escape(cursor);
		default:
			return "not a valid escape";
	}
}

static const char *
check_string(Cursor *cursor)
{
	const char *why = NULL;

	cursor->at++;
	while (why == NULL && cursor->at < cursor->end)
	{
		unsigned char c = *cursor->at;

		if (c >= 0x80)
			why = check_utf8(cursor);
		else if (c < 0x20)
			why = "a control character in a string";
		else
		{
			cursor->at++;
			if (c == '"')
				return NULL;
			if (c == '\\')
				why = check_escape(cursor);
		}
	}
	return (why != NULL) ? why : "a string without an end";
}

/* Is there nothing after a comma but the end of what it is in? */
static bool
comma_is_last(const Cursor *cursor)
{
	const unsigned char *at = cursor->at;

	while (at < cursor->end && is_space(*at))
		at++;
	return at < cursor->end && (*at == ']' || *at == '}');
}

/* White space or one of []{},: */
static const char *
check_mark(Cursor *cursor, int *depth)
{
	unsigned char c = *cursor->at++;

	if (is_space(c))
		return NULL;
	switch (c)
	{
		case '[':
		case '{':
			if (++*depth > IOTDATA_JSON_MAX_DEPTH)
				return "nested too deeply";
			return NULL;
		case ']':
		case '}':
			/* more of these than of the others is for json-c to refuse */
			--*depth;
			return NULL;
		case ',':
			return comma_is_last(cursor) ? "not well-formed" : NULL;
		case ':':
			return NULL;
		default:
			return "an unexpected character";
	}
}

const char *
iotdata_json_check(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *) text;
	Cursor		cursor = {bytes, bytes + length};
	int			depth = 0;
	const char *why = NULL;

	while (why == NULL && cursor.at < cursor.end)
	{
		unsigned char c = *cursor.at;

		if (c == '"')
			why = check_string(&cursor);
		else if (c == '-' || is_digit(c))
			why = check_number(&cursor);
		else if (c >= 'a' && c <= 'z')
			why = check_word(&cursor);
		else
			why = check_mark(&cursor, &depth);
	}
	return why;
}
