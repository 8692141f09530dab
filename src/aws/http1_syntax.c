/*
 * http1_syntax.c
 *		What the lines of an HTTP/1 message are made of (RFC 9110, RFC 9112).
 */
#include <string.h>

#include "aws/http1_syntax.h"

/* hex digits of a chunk's size: as many as 64 bits have */
#define MAX_SIZE_DIGITS 16

/* ---- characters ---- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
iotdata_http1_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Not isalpha() and tolower(): the answer must not depend on the locale. */
static char
to_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char) (c - 'A' + 'a');
	return c;
}

/* May a header's name have it? (RFC 9110, token) */
static bool
is_token_character(char c)
{
	char		lower = to_lower(c);

	return (lower >= 'a' && lower <= 'z') || is_digit(c) ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* The value of a hex digit; -1 when it is none. */
static int
hex_value(char c)
{
	char		lower = to_lower(c);

	if (is_digit(c))
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* ---- texts ---- */

static IotDataHttp1Text
part(const char *text, size_t length)
{
	IotDataHttp1Text made = {text, length};

	return made;
}

/* What is behind the first bytes. */
static IotDataHttp1Text
rest(IotDataHttp1Text text, size_t from)
{
	return part(text.text + from, text.length - from);
}

IotDataHttp1Text
iotdata_http1_text(const char *string)
{
	return part(string, strlen(string));
}

bool
iotdata_http1_has_control_character(IotDataHttp1Text text)
{
	for (size_t i = 0; i < text.length; i++)
	{
		unsigned char c = (unsigned char) text.text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

bool
iotdata_http1_is_word(IotDataHttp1Text text, const char *word)
{
	if (text.length != strlen(word))
		return false;
	for (size_t i = 0; i < text.length; i++)
	{
		if (to_lower(text.text[i]) != to_lower(word[i]))
			return false;
	}
	return true;
}

static IotDataHttp1Text
trim(IotDataHttp1Text text)
{
	while (text.length > 0 && iotdata_http1_is_blank(text.text[0]))
		text = rest(text, 1);
	while (text.length > 0 && iotdata_http1_is_blank(text.text[text.length - 1]))
		text.length--;
	return text;
}

bool
iotdata_http1_split_at(IotDataHttp1Text text, char separator,
					   IotDataHttp1Text *before, IotDataHttp1Text *behind)
{
	const char *found = memchr(text.text, separator, text.length);
	size_t		length = found != NULL ? (size_t) (found - text.text) : 0;

	if (found == NULL)
		return false;
	*before = trim(part(text.text, length));
	*behind = trim(rest(text, length + 1));
	return true;
}

bool
iotdata_http1_next_element(IotDataHttp1Text *list, IotDataHttp1Text *element)
{
	if (list->length == 0)
		return false;
	if (!iotdata_http1_split_at(*list, ',', element, list))
	{
		*element = trim(*list);
		*list = rest(*list, list->length);
	}
	return true;
}

bool
iotdata_http1_read_number(IotDataHttp1Text text, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text.length; i++)
	{
		unsigned	digit = (unsigned) (text.text[i] - '0');

		if (!is_digit(text.text[i]) || *number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return text.length > 0;
}

/* ---- lines ---- */

bool
iotdata_http1_split_status_line(IotDataHttp1Text line, int *minor_version,
								int *status)
{
	static const char version[] = "HTTP/1.";
	const char *text = line.text;

	if (line.length < 12 || memcmp(text, version, sizeof(version) - 1) != 0 ||
		(text[7] != '0' && text[7] != '1') || text[8] != ' ' ||
		text[9] == '0' || !is_digit(text[9]) || !is_digit(text[10]) || !is_digit(text[11]) ||
		(line.length > 12 && text[12] != ' '))
		return false;
	*minor_version = text[7] - '0';
	*status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
	return true;
}

bool
iotdata_http1_split_header(IotDataHttp1Text line, IotDataHttp1Text *name,
						   IotDataHttp1Text *value)
{
	size_t		length = 0;

	while (length < line.length && is_token_character(line.text[length]))
		length++;
	if (length == 0 || length == line.length || line.text[length] != ':')
		return false;
	*name = part(line.text, length);
	*value = trim(rest(line, length + 1));
	return true;
}

bool
iotdata_http1_split_chunk_size(IotDataHttp1Text line, uint64_t *size,
							   IotDataHttp1Text *extension)
{
	size_t		digits = 0;

	*size = 0;
	while (digits < line.length && digits < MAX_SIZE_DIGITS && hex_value(line.text[digits]) >= 0)
		*size = *size << 4 | (uint64_t) hex_value(line.text[digits++]);
	*extension = rest(line, digits);
	if (digits == 0)
		return false;
	return extension->length == 0 ||
		(trim(*extension).length > 0 && trim(*extension).text[0] == ';');
}
