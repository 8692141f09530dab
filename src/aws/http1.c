/*
 * http1.c
 *		Responses of HTTP/1.0 and HTTP/1.1 (RFC 9112), read as they come.
 *
 * A response is lines, and bytes whose number is known. A line is collected
 * until its LF has come and is then read as a whole, so that no split can make
 * a difference; only what is not HTTP at all is found out earlier, and a line
 * that is too long is found too long at the same byte however it comes.
 */
#include <stdlib.h>
#include <string.h>

#include "aws/http1.h"
#include "aws/http1_syntax.h"

/* what heads and bodies begin with; both grow as needed */
#define FIRST_HEAD_SIZE 1024
#define FIRST_BODY_SIZE 4096

/* a body's length is believed so far before any of it has come */
#define BELIEVED_LENGTH (64 * 1024)

#define MAX_IDLE_SECONDS 86400

void
iotdata_http1_init(IotDataHttp1 *response, size_t max_body)
{
	memset(response, 0, sizeof(*response));
	response->max_body = max_body;
}

/* Free bytes that may be secrets. */
static void
forget(char *bytes, size_t size)
{
	if (bytes != NULL)
		explicit_bzero(bytes, size);
	free(bytes);
}

void
iotdata_http1_free(IotDataHttp1 *response)
{
	forget(response->head, response->head_size);
	forget(response->body, response->body_size);
	memset(response, 0, sizeof(*response));
}

static void
refuse(IotDataHttp1 *response, const char *problem)
{
	response->state = IOTDATA_HTTP1_MALFORMED;
	response->problem = problem;
}

/* ---- headers that say how the response goes on ---- */

static void
read_content_length(IotDataHttp1 *response, IotDataHttp1Text value)
{
	uint64_t	length;

	if (!iotdata_http1_read_number(value, &length))
		refuse(response, "its Content-Length is not a number");
	else if (response->has_length && response->length != length)
		refuse(response, "it has two different lengths");
	else
	{
		response->has_length = true;
		response->length = length;
	}
}

static void
read_transfer_encoding(IotDataHttp1 *response, IotDataHttp1Text value)
{
	if (response->chunked || !iotdata_http1_is_word(value, "chunked"))
		refuse(response, "its transfer coding is not \"chunked\" alone");
	response->chunked = true;
}

static void
read_connection(IotDataHttp1 *response, IotDataHttp1Text value)
{
	IotDataHttp1Text option;

	while (iotdata_http1_next_element(&value, &option))
	{
		response->close |= iotdata_http1_is_word(option, "close");
		response->keep_alive |= iotdata_http1_is_word(option, "keep-alive");
	}
}

static void
note_header(IotDataHttp1 *response, IotDataHttp1Text name, IotDataHttp1Text value)
{
	if (iotdata_http1_is_word(name, "content-length"))
		read_content_length(response, value);
	else if (iotdata_http1_is_word(name, "transfer-encoding"))
		read_transfer_encoding(response, value);
	else if (iotdata_http1_is_word(name, "connection"))
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
	else if (has_no_body(response) ||
			 (response->has_length && response->length == 0))
		complete(response);
	else if (response->chunked)
		response->part = IOTDATA_HTTP1_CHUNK_SIZE;
	else if (!response->has_length)
		response->part = IOTDATA_HTTP1_BODY_TO_CLOSE;
	else
		expect(response, response->length, IOTDATA_HTTP1_BODY);
}

/* ---- lines ---- */

static void
read_status_line(IotDataHttp1 *response, IotDataHttp1Text line)
{
	int			minor_version;

	if (!iotdata_http1_split_status_line(line, &minor_version, &response->http_status))
	{
		refuse(response, "its status line is not one of HTTP/1");
		return;
	}
	response->is_http_1_1 = minor_version == 1;
	response->part = IOTDATA_HTTP1_HEADER;
	response->head_length = 0;
}

/* Take a header apart. Returns false when it is none, and the response refused. */
static bool
split_header(IotDataHttp1 *response, IotDataHttp1Text line,
			 IotDataHttp1Text *name, IotDataHttp1Text *value)
{
	if (iotdata_http1_split_header(line, name, value))
		return true;
	refuse(response, iotdata_http1_is_blank(line.text[0]) ?
		   "it has a folded line" : "it has a line that is not a header");
	return false;
}

/* The line stays in the head, as "name\0value\0", which is never longer. */
static void
read_header(IotDataHttp1 *response, IotDataHttp1Text line)
{
	char	   *to = response->head + response->line_begin;
	IotDataHttp1Text name;
	IotDataHttp1Text value;

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
read_trailer(IotDataHttp1 *response, IotDataHttp1Text line)
{
	IotDataHttp1Text name;
	IotDataHttp1Text value;

	response->head_length = response->line_begin;
	if (line.length == 0)
		complete(response);
	else
		split_header(response, line, &name, &value);
}

/* The size, and perhaps an extension, which means nothing to us. */
static void
read_chunk_size(IotDataHttp1 *response, IotDataHttp1Text line)
{
	IotDataHttp1Text extension;
	uint64_t	size;

	response->head_length = response->line_begin;
	if (!iotdata_http1_split_chunk_size(line, &size, &extension))
	{
		refuse(response, "the size of a chunk is not a number");
		return;
	}
	response->overhead += extension.length;
	if (size > 0)
		expect(response, size, IOTDATA_HTTP1_CHUNK);
	else
		response->part = IOTDATA_HTTP1_TRAILER;
}

static void
read_chunk_end(IotDataHttp1 *response, IotDataHttp1Text line)
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
	IotDataHttp1Text line = {response->head + response->line_begin, length - 1};
	bool		has_cr = line.length > 0 && line.text[line.length - 1] == '\r';
	bool		in_chunks = response->part == IOTDATA_HTTP1_CHUNK_SIZE ||
		response->part == IOTDATA_HTTP1_CHUNK_END;

	if (has_cr)
		line.length--;
	if (!in_chunks)
		response->overhead += length;
	if (iotdata_http1_has_control_character(line) || (in_chunks && !has_cr))
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
	grown = malloc(wanted);
	if (grown == NULL)
	{
		response->state = IOTDATA_HTTP1_NO_MEMORY;
		return false;
	}
	if (*bytes != NULL)
		memcpy(grown, *bytes, length);
	forget(*bytes, *size);
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

	while (at < end)
	{
		const char *value = at + strlen(at) + 1;

		if (iotdata_http1_is_word(iotdata_http1_text(at), name))
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
	const char *value = iotdata_http1_header(response, "keep-alive");
	IotDataHttp1Text list = iotdata_http1_text(value != NULL ? value : "");
	IotDataHttp1Text element;

	while (iotdata_http1_next_element(&list, &element))
	{
		IotDataHttp1Text name;
		IotDataHttp1Text number;
		uint64_t	seconds;

		if (!iotdata_http1_split_at(element, '=', &name, &number) ||
			!iotdata_http1_is_word(name, "timeout"))
			continue;
		if (!iotdata_http1_read_number(number, &seconds))
			return -1;
		return seconds < MAX_IDLE_SECONDS ? (int) seconds : MAX_IDLE_SECONDS;
	}
	return -1;
}
