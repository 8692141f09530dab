/*
 * sigv4.c
 *		The canonical request over any path, query and headers: it has the form
 *		that it must, does not depend on the order of what is sorted, and does
 *		not fit quietly where there is no room.
 *
 * The input: a byte for the room and one for a turn of the headers, then lines:
 * method, path, query, "name:value" for each header, an empty line; then the
 * body.
 */
#include "aws/sigv4.h"
#include "fuzz.h"

#define MOST_HEADERS 20			/* some more than are taken */

typedef struct Made
{
	IotDataSigv4Request request;
	char	   *lines[3 + MOST_HEADERS];	/* what is to be freed */
	int			nlines;
	IotDataHeader headers[MOST_HEADERS];
} Made;

static const char *
take_line(Made *made, FuzzInput *input)
{
	return made->lines[made->nlines++] = fuzz_text_until(input, '\n');
}

static bool
is_sent(const IotDataHeader *headers, int nheaders, const char *name)
{
	for (int i = 0; i < nheaders; i++)
	{
		if (strcmp(headers[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Each name once, as the interface demands. */
static void
take_headers(Made *made, FuzzInput *input)
{
	while (made->request.nheaders < MOST_HEADERS && fuzz_left(input) > 0)
	{
		char	   *line = fuzz_text_until(input, '\n');
		char	   *colon = strchr(line, ':');
		IotDataHeader *header = &made->headers[made->request.nheaders];

		made->lines[made->nlines++] = line;
		if (colon == NULL)
			break;
		*colon = '\0';
		if (is_sent(made->headers, made->request.nheaders, line))
			break;
		*header = (IotDataHeader) {line, colon + 1};
		made->request.nheaders++;
	}
	made->request.headers = made->headers;
}

/* How many times is "c" in "text", and not empty what it separates? */
static int
count_pairs(const char *query)
{
	int			pairs = 0;

	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&");

		pairs += length > 0;
		query += length + (query[length] == '&');
	}
	return pairs;
}

static int
count(const char *text, char c)
{
	int			found = 0;

	for (; *text != '\0'; text++)
		found += *text == c;
	return found;
}

/* The begin of a line, from 0. */
static const char *
line_of(const char *text, int number)
{
	while (number-- > 0)
		text = strchr(text, '\n') + 1;
	return text;
}

/* Only lines that have no line end of their own can be told apart. */
static bool
is_plain(const IotDataSigv4Request *request)
{
	return strlen(request->method) > 0;
}

static void
check_form(const IotDataSigv4Request *request, const IotDataBuffer *out)
{
	const char *query = line_of(out->data, 2);
	const char *headers = line_of(out->data, 3);
	const char *name = headers;

	CHECK(strlen(out->data) == out->length);
	/* six line ends, and one for each header */
	CHECK(count(out->data, '\n') == 5 + request->nheaders);
	CHECK(strncmp(out->data, request->method, strlen(request->method)) == 0);
	CHECK(*line_of(out->data, 1) == '/' || request->path[0] != '/');
	CHECK(strcspn(query, "\n") == 0 ||
		  count_pairs(request->query) > 0);
	for (int i = 1; i < request->nheaders; i++)
	{
		const char *later = line_of(headers, i);
		size_t		length = strcspn(name, ":");
		size_t		later_length = strcspn(later, ":");
		int			order = memcmp(name, later, length < later_length ? length : later_length);

		CHECK(order < 0 || (order == 0 && length < later_length));
		name = later;
	}
	CHECK(strspn(out->data + out->length - 64, "0123456789abcdef") == 64);
	CHECK(out->data[out->length - 65] == '\n');
}

/* Begins with another header; the result must not change. */
static void
turn_headers(IotDataHeader *turned, const IotDataSigv4Request *request, unsigned by)
{
	for (int i = 0; i < request->nheaders; i++)
		turned[i] = request->headers[(i + (int) by) % request->nheaders];
}

static void
check_room(const IotDataSigv4Request *request, const IotDataBuffer *whole, size_t room)
{
	char	   *storage = malloc(room);
	IotDataBuffer out;
	bool		made;

	CHECK(storage != NULL);
	iotdata_buffer_init(&out, storage, room);
	made = iotdata_sigv4_canonical_request(&out, request);
	CHECK(made == (room > whole->length));
	CHECK(out.overflowed == !made);
	if (made)
		CHECK(out.length == whole->length && memcmp(out.data, whole->data, out.length) == 0);
	free(storage);
}

/* The stages after the first take what it gave. */
static void
check_stages(const IotDataSigv4Request *request, const IotDataBuffer *canonical)
{
	IotDataSigv4Scope scope = {"20260601T120000Z", "eu-west-1", "iotdata"};
	IotDataSigningKey key = {.valid = false};
	char		text[256];
	char		signature[IOTDATA_SIGNATURE_SIZE];
	char		again[IOTDATA_SIGNATURE_SIZE];
	char	   *storage = malloc(4096 + canonical->length);
	IotDataBuffer to_sign;
	IotDataBuffer authorization;

	CHECK(storage != NULL);
	iotdata_buffer_init(&to_sign, text, sizeof(text));
	CHECK(iotdata_sigv4_string_to_sign(&to_sign, &scope, canonical));
	/* any text will do for a secret */
	CHECK(iotdata_sigv4_signing_key(&key, &scope, request->query) && key.valid);
	CHECK(iotdata_sigv4_signature(signature, &key, &to_sign));
	CHECK(strspn(signature, "0123456789abcdef") == 64 && signature[64] == '\0');
	CHECK(iotdata_sigv4_signing_key(&key, &scope, request->query));
	CHECK(iotdata_sigv4_signature(again, &key, &to_sign) && strcmp(signature, again) == 0);
	iotdata_buffer_init(&authorization, storage, 4096 + canonical->length);
	CHECK(iotdata_sigv4_authorization(&authorization, request, &scope, "AKIDEXAMPLE", signature));
	CHECK(strcmp(authorization.data + authorization.length - 64, signature) == 0);
	free(storage);
}

static void
check_request(Made *made, size_t room, unsigned turn)
{
	IotDataSigv4Request *request = &made->request;
	bool		too_many = request->nheaders > IOTDATA_SIGV4_MAX_HEADERS ||
		count_pairs(request->query) > IOTDATA_SIGV4_MAX_QUERY;
	size_t		size = 200 + strlen(request->method) + strlen(request->path) * 3 +
		strlen(request->query) + IOTDATA_SIGV4_MAX_QUERY;
	IotDataHeader turned[MOST_HEADERS];
	IotDataBuffer out;
	char	   *storage;

	for (int i = 0; i < request->nheaders; i++)
		size += 2 * strlen(request->headers[i].name) + strlen(request->headers[i].value) + 4;
	storage = malloc(size);
	CHECK(storage != NULL);
	iotdata_buffer_init(&out, storage, size);
	CHECK(iotdata_sigv4_canonical_request(&out, request) == !too_many);
	if (!too_many)
	{
		CHECK(!out.overflowed);
		if (is_plain(request))
			check_form(request, &out);
		turn_headers(turned, request, turn);
		request->headers = turned;
		check_room(request, &out, out.length + 1);
		check_room(request, &out, out.length > 0 ? out.length : 1);
		check_room(request, &out, room);
		check_stages(request, &out);
	}
	free(storage);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, data + size};
	size_t		room = fuzz_byte(&input) * 4 + 1;
	unsigned	turn = fuzz_byte(&input);
	Made		made = {.nlines = 0};

	made.request.method = take_line(&made, &input);
	made.request.path = take_line(&made, &input);
	made.request.query = take_line(&made, &input);
	take_headers(&made, &input);
	made.request.body = input.at;
	made.request.body_length = fuzz_left(&input);
	check_request(&made, room, turn);
	for (int i = 0; i < made.nlines; i++)
		free(made.lines[i]);
	return 0;
}
