/*
 * http1.c
 *		Responses of HTTP/1.0 and HTTP/1.1 (RFC 9112), read as they come.
 *
 * A response is lines, and bytes whose number is known. A line is collected
 * until its LF has come and is then read as a whole, so that no split can make
 * a difference; only what is not HTTP at all is found out earlier, and a line
 * that is too long is found too long at the same byte however it comes.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "aws/http1.h"

/* what heads and bodies begin with; both grow as needed */
#define FIRST_HEAD_SIZE 1024
#define FIRST_BODY_SIZE 4096

/* a body's length is believed so far before any of it has come */
#define BELIEVED_LENGTH (64 * 1024)

/* hex digits of a chunk's size: as many as 64 bits have */
#define MAX_SIZE_DIGITS 16

#define MAX_IDLE_SECONDS 86400

/* Text that is part of the response, without a NUL. */
typedef struct Slice
{
	const char *text;
	size_t		length;
} Slice;

void
iotdata_http1_init(IotDataHttp1 *response, size_t max_body)
{
	memset(response, 0, sizeof(*response));
	response->max_body = max_body;
}

void
iotdata_http1_free(IotDataHttp1 *response)
{
	free(response->head);
	free(response->body);
	memset(response, 0, sizeof(*response));
}

static Slice
slice(const char *text, size_t length)
{
	Slice		made = {text, length};

	return made;
}

static void
refuse(IotDataHttp1 *response, const char *problem)
{
	response->state = IOTDATA_HTTP1_MALFORMED;
	response->problem = problem;
}

/* ---- characters ---- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Not isalpha() and tolower(): the answer must not depend on the locale. */
static char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
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

static bool
has_control_character(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* Is it this word, which is in lower case, whatever its own case is? */
static bool
is_word(Slice text, const char *word)
{
	size_t		length = strlen(word);

	if (text.length != length)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (to_lower(text.text[i]) != word[i])
			return false;
	}
	return true;
}

static Slice
trim(Slice text)
{
	while (text.length > 0 && is_blank(text.text[0]))
	{
		text.text++;
		text.length--;
	}
	while (text.length > 0 && is_blank(text.text[text.length - 1]))
		text.length--;
	return text;
}

/* Take the next element off a list with commas. Returns false at its end. */
static bool
next_element(Slice *list, Slice *element)
{
	const char *comma;

	if (list->length == 0)
		return false;
	comma = memchr(list->text, ',', list->length);
	element->text = list->text;
	element->length = comma != NULL ? (size_t) (comma - list->text) : list->length;
	list->text += element->length;
	list->length -= element->length;
	if (comma != NULL)
	{
		list->text++;
		list->length--;
	}
	*element = trim(*element);
	return true;
}

/* ---- headers that say how the response goes on ---- */

static void
read_content_length(IotDataHttp1 *response, Slice value)
{
	uint64_t	length = 0;

	if (value.length == 0)
	{
		refuse(response, "its Content-Length is not a number");
		return;
	}
	for (size_t i = 0; i < value.length; i++)
	{
		unsigned	digit = (unsigned) (value.text[i] - '0');

		if (!is_digit(value.text[i]) || length > (UINT64_MAX - digit) / 10)
		{
			refuse(response, "its Content-Length is not a number");
			return;
		}
		length = length * 10 + digit;
	}
	if (response->has_length && response->length != length)
		refuse(response, "it has two different lengths");
	response->has_length = true;
	response->length = length;
}

static void
read_transfer_encoding(IotDataHttp1 *response, Slice value)
{
	if (response->chunked || !is_word(value, "chunked"))
		refuse(response, "its transfer coding is not \"chunked\" alone");
	response->chunked = true;
}

static void
read_connection(IotDataHttp1 *response, Slice value)
{
	Slice		option;

	while (next_element(&value, &option))
	{
		response->close |= is_word(option, "close");
		response->keep_alive |= is_word(option, "keep-alive");
	}
}

static void
note_header(IotDataHttp1 *response, Slice name, Slice value)
{
	if (is_word(name, "content-length"))
		read_content_length(response, value);
	else if (is_word(name, "transfer-encoding"))
		read_transfer_encoding(response, value);
	else if (is_word(name, "connection"))
		read_connection(response, value);
}

/* ---- from the head to the body ---- */

static void
complete(IotDataHttp1 *response)
{
	response->state = IOTDATA_HTTP1_COMPLETE;
}

/* An interim response is over: forget it, but for how long it was. */
static void
begin_again(IotDataHttp1 *response)
{
	response->part = IOTDATA_HTTP1_STATUS_LINE;
	response->head_length = 0;
	response->has_length = false;
	response->chunked = false;
	response->close = false;
	response->keep_alive = false;
}

static bool
has_no_body(const IotDataHttp1 *response)
{
	return response->http_status == 204 || response->http_status == 304;
}

/* The body, or the next chunk of it, has so many bytes. */
static void
expect(IotDataHttp1 *response, uint64_t length, IotDataHttp1Part part)
{
	if (length > response->max_body - response->body_length)
		response->state = IOTDATA_HTTP1_TOO_LARGE;
	response->left = length;
	response->part = part;
}

/* The empty line after the headers. */
static void
end_head(IotDataHttp1 *response)
{
	if (response->http_status == 101)
		refuse(response, "it changes to another protocol");
	else if (response->chunked && response->has_length)
		refuse(response, "it has a length and a transfer coding");
	else if (response->chunked && !response->is_http_1_1)
		refuse(response, "it has a transfer coding in HTTP/1.0");
	else if (response->http_status < 200)
		begin_again(response);
	else if (has_no_body(response))
		complete(response);
	else if (response->chunked)
		response->part = IOTDATA_HTTP1_CHUNK_SIZE;
	else if (!response->has_length)
		response->part = IOTDATA_HTTP1_BODY_TO_CLOSE;
	else if (response->length == 0)
		complete(response);
	else
		expect(response, response->length, IOTDATA_HTTP1_BODY);
}

/* ---- lines ---- */

/* "HTTP/1.1 200 OK"; the reason may be missing, with the blank before it. */
static void
read_status_line(IotDataHttp1 *response, Slice line)
{
	const char *text = line.text;

	if (line.length < 12 || (text[7] != '0' && text[7] != '1') || text[8] != ' ' ||
		text[9] == '0' || !is_digit(text[9]) || !is_digit(text[10]) || !is_digit(text[11]) ||
		(line.length > 12 && text[12] != ' '))
	{
		refuse(response, "its status line is not one of HTTP/1");
		return;
	}
	response->is_http_1_1 = text[7] == '1';
	response->http_status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
	response->part = IOTDATA_HTTP1_HEADER;
	response->head_length = 0;
}

/* Take a header apart. Returns false when it is none, and the response refused. */
static bool
split_header(IotDataHttp1 *response, Slice line, Slice *name, Slice *value)
{
	size_t		length = 0;

	if (is_blank(line.text[0]))
	{
		refuse(response, "it has a folded line");
		return false;
	}
	while (length < line.length && is_token_character(line.text[length]))
		length++;
	if (length == 0 || length == line.length || line.text[length] != ':')
	{
		refuse(response, "it has a line that is not a header");
		return false;
	}
	*name = slice(line.text, length);
	*value = trim(slice(line.text + length + 1, line.length - length - 1));
	return true;
}

/* The line stays in the head, as "name\0value\0", which is never longer. */
static void
read_header(IotDataHttp1 *response, Slice line)
{
	char	   *to = response->head + response->line_begin;
	Slice		name;
	Slice		value;

	if (line.length == 0)
	{
		response->head_length = response->line_begin;
		end_head(response);
		return;
	}
	if (!split_header(response, line, &name, &value))
		return;
	note_header(response, name, value);
	to[name.length] = '\0';
	to += name.length + 1;
	memmove(to, value.text, value.length);
	to[value.length] = '\0';
	response->head_length = (size_t) (to + value.length + 1 - response->head);
}

/* Trailers are looked at, and not kept. */
static void
read_trailer(IotDataHttp1 *response, Slice line)
{
	Slice		name;
	Slice		value;

	response->head_length = response->line_begin;
	if (line.length == 0)
		complete(response);
	else
		split_header(response, line, &name, &value);
}

/* The size in hex digits, and perhaps an extension, which means nothing to us. */
static void
read_chunk_size(IotDataHttp1 *response, Slice line)
{
	uint64_t	size = 0;
	size_t		digits = 0;
	Slice		rest;

	while (digits < line.length && hex_value(line.text[digits]) >= 0)
	{
		if (digits < MAX_SIZE_DIGITS)
			size = size << 4 | (uint64_t) hex_value(line.text[digits]);
		digits++;
	}
	rest = slice(line.text + digits, line.length - digits);
	response->head_length = response->line_begin;
	response->overhead += rest.length;
	if (digits == 0 || digits > MAX_SIZE_DIGITS ||
		(rest.length > 0 && (trim(rest).length == 0 || trim(rest).text[0] != ';')))
		refuse(response, "the size of a chunk is not a number");
	else if (size > 0)
		expect(response, size, IOTDATA_HTTP1_CHUNK);
	else
		response->part = IOTDATA_HTTP1_TRAILER;
}

static void
read_chunk_end(IotDataHttp1 *response, Slice line)
{
	response->head_length = response->line_begin;
	if (line.length > 0)
		refuse(response, "a chunk is longer than its size");
	response->part = IOTDATA_HTTP1_CHUNK_SIZE;
}

/*
 * A line has come to its end. All of it counts as overhead, but of the lines
 * around chunks only extensions do: a megabyte may come in chunks of a byte.
 */
static void
read_line(IotDataHttp1 *response)
{
	size_t		length = response->head_length - response->line_begin;
	Slice		line = {response->head + response->line_begin, length - 1};
	bool		has_cr = line.length > 0 && line.text[line.length - 1] == '\r';
	bool		in_chunks = response->part == IOTDATA_HTTP1_CHUNK_SIZE ||
		response->part == IOTDATA_HTTP1_CHUNK_END;

	if (has_cr)
		line.length--;
	if (!in_chunks)
		response->overhead += length;
	if (has_control_character(line.text, line.length) || (in_chunks && !has_cr))
	{
		refuse(response, "it has a control character where none may be");
		return;
	}
	switch (response->part)
	{
		case IOTDATA_HTTP1_STATUS_LINE:
			read_status_line(response, line);
			break;
		case IOTDATA_HTTP1_HEADER:
			read_header(response, line);
			break;
		case IOTDATA_HTTP1_CHUNK_SIZE:
			read_chunk_size(response, line);
			break;
		case IOTDATA_HTTP1_CHUNK_END:
			read_chunk_end(response, line);
			break;
		default:
			read_trailer(response, line);
			break;
	}
	response->line_begin = response->head_length;
}

/* ---- bytes ---- */

/*
 * Make room for "more" bytes behind "length" used ones, at least doubling what
 * is there. Returns false without memory.
 */
static bool
make_room(IotDataHttp1 *response, char **bytes, size_t *size, size_t length,
		  size_t more, size_t first_size)
{
	size_t		wanted = *size > 0 ? *size : first_size;
	char	   *grown;

	if (more <= *size - length)
		return true;
	while (wanted - length < more)
		wanted *= 2;
	grown = realloc(*bytes, wanted);
	if (grown == NULL)
	{
		response->state = IOTDATA_HTTP1_NO_MEMORY;
		return false;
	}
	*bytes = grown;
	*size = wanted;
	return true;
}

/* Does what there is of the status line show that it is none? */
static bool
is_no_status_line(const IotDataHttp1 *response)
{
	static const char version[] = "HTTP/1.";
	size_t		length = response->head_length;

	if (length > sizeof(version) - 1)
		length = sizeof(version) - 1;
	return memcmp(response->head, version, length) != 0;
}

/* Take bytes of the present line, up to its end. Returns how many. */
static size_t
take_line(IotDataHttp1 *response, const char *bytes, size_t length)
{
	const char *lf = memchr(bytes, '\n', length);
	size_t		taken = lf != NULL ? (size_t) (lf - bytes) + 1 : length;
	size_t		most = IOTDATA_HTTP1_MAX_HEAD - response->overhead -
		(response->head_length - response->line_begin);
	bool		too_long = taken > most;

	if (too_long)
		taken = most;
	if (!make_room(response, &response->head, &response->head_size,
				   response->head_length, taken, FIRST_HEAD_SIZE))
		return taken;
	memcpy(response->head + response->head_length, bytes, taken);
	response->head_length += taken;
	if (response->part == IOTDATA_HTTP1_STATUS_LINE && is_no_status_line(response))
		refuse(response, "its status line is not one of HTTP/1");
	else if (too_long)
		refuse(response, "its head is too long");
	else if (lf != NULL)
		read_line(response);
	return taken;
}

/* All of these bytes are the body's. */
static void
append_to_body(IotDataHttp1 *response, const char *bytes, size_t length)
{
	uint64_t	expected = response->part == IOTDATA_HTTP1_BODY ? response->left : 0;
	size_t		first = FIRST_BODY_SIZE;

	if (expected > 0)
		first = expected < BELIEVED_LENGTH ? (size_t) expected : BELIEVED_LENGTH;
	if (!make_room(response, &response->body, &response->body_size,
				   response->body_length, length, first))
		return;
	memcpy(response->body + response->body_length, bytes, length);
	response->body_length += length;
}

/* Take bytes of which "left" are expected. Returns how many. */
static size_t
take_expected(IotDataHttp1 *response, const char *bytes, size_t length)
{
	size_t		taken = length < response->left ? length : (size_t) response->left;

	append_to_body(response, bytes, taken);
	response->left -= taken;
	if (response->left > 0 || response->state != IOTDATA_HTTP1_INCOMPLETE)
		return taken;
	if (response->part == IOTDATA_HTTP1_CHUNK)
		response->part = IOTDATA_HTTP1_CHUNK_END;
	else
		complete(response);
	return taken;
}

static size_t
take_to_close(IotDataHttp1 *response, const char *bytes, size_t length)
{
	if (length > response->max_body - response->body_length)
		response->state = IOTDATA_HTTP1_TOO_LARGE;
	else
		append_to_body(response, bytes, length);
	return length;
}

/* ---- the whole ---- */

IotDataHttp1State
iotdata_http1_feed(IotDataHttp1 *response, const char *bytes, size_t length)
{
	const char *end = bytes + length;

	while (bytes < end && response->state == IOTDATA_HTTP1_INCOMPLETE)
	{
		size_t		left = (size_t) (end - bytes);

		switch (response->part)
		{
			case IOTDATA_HTTP1_BODY:
			case IOTDATA_HTTP1_CHUNK:
				bytes += take_expected(response, bytes, left);
				break;
			case IOTDATA_HTTP1_BODY_TO_CLOSE:
				bytes += take_to_close(response, bytes, left);
				break;
			default:
				bytes += take_line(response, bytes, left);
				break;
		}
	}
	if (bytes < end && response->state == IOTDATA_HTTP1_COMPLETE)
		refuse(response, "more came than belongs to it");
	return response->state;
}

IotDataHttp1State
iotdata_http1_end(IotDataHttp1 *response)
{
	if (response->state == IOTDATA_HTTP1_INCOMPLETE &&
		response->part == IOTDATA_HTTP1_BODY_TO_CLOSE)
		complete(response);
	return response->state;
}

const char *
iotdata_http1_problem(const IotDataHttp1 *response)
{
	return response->problem;
}

int
iotdata_http1_status(const IotDataHttp1 *response)
{
	return response->http_status;
}

const char *
iotdata_http1_header(const IotDataHttp1 *response, const char *name)
{
	const char *at = response->head;
	const char *end = at + response->head_length;
	size_t		length = strlen(name);

	while (at < end)
	{
		size_t		own_length = strlen(at);
		const char *value = at + own_length + 1;
		size_t		same = 0;

		while (same < length && own_length == length && to_lower(at[same]) == to_lower(name[same]))
			same++;
		if (own_length == length && same == length)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

const char *
iotdata_http1_body(const IotDataHttp1 *response, size_t *length)
{
	*length = response->body_length;
	return response->body != NULL ? response->body : "";
}

bool
iotdata_http1_keeps_alive(const IotDataHttp1 *response)
{
	if (response->part == IOTDATA_HTTP1_BODY_TO_CLOSE || response->close)
		return false;
	return response->is_http_1_1 || response->keep_alive;
}

int
iotdata_http1_idle_seconds(const IotDataHttp1 *response)
{
	static const char parameter[] = "timeout=";
	const char *value = iotdata_http1_header(response, "keep-alive");
	Slice		list = {value, value != NULL ? strlen(value) : 0};
	Slice		element;

	while (next_element(&list, &element))
	{
		size_t		length = sizeof(parameter) - 1;
		int			seconds = 0;

		if (element.length <= length || !is_word(slice(element.text, length), parameter))
			continue;
		for (; length < element.length && is_digit(element.text[length]); length++)
		{
			seconds = seconds * 10 + (element.text[length] - '0');
			if (seconds > MAX_IDLE_SECONDS)
				seconds = MAX_IDLE_SECONDS;
		}
		return length == element.length ? seconds : -1;
	}
	return -1;
}
