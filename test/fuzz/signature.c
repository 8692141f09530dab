/*
 * signature.c
 *		The two sides of a signature, which were written apart from each other:
 *		what the extension signs the emulator accepts, and nothing else.
 *
 * The input: a byte that says what is altered afterwards, and where; a byte of
 * what the alteration is; then lines: a label of the path, names and values of
 * the query as "name=value" and headers as "name:value" in any order, an empty
 * line; then the body. Path and query are encoded here as the extension does
 * it.
 */
#include <openssl/sha.h>

#include "aws/sigv4.h"
#include "aws/uri.h"
#include "fuzz.h"
#include "http/signature.h"
#include "world.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define AUTHORIZATION_SIZE 4096

typedef struct Signed
{
	IotDataBuffer path;
	IotDataBuffer query;
	int			npairs;
	IotDataHeader headers[IOTDATA_SIGV4_MAX_HEADERS];
	int			nheaders;
	char	   *lines[IOTDATA_SIGV4_MAX_HEADERS];
	int			nlines;
	const uint8_t *body;
	size_t		body_length;
	char		timestamp[IOTDATA_TIMESTAMP_SIZE];
	char		authorization[AUTHORIZATION_SIZE];
} Signed;

static bool
is_header_name(const char *name)
{
	return name[0] != '\0' &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name) &&
		strcmp(name, "authorization") != 0 && strcmp(name, "x-amz-security-token") != 0 &&
		strcmp(name, "x-amz-content-sha256") != 0;
}

/*
 * As it comes off the wire: without blanks at its ends, no control characters.
 */
static bool
is_header_value(const char *value)
{
	for (; *value != '\0'; value++)
	{
		if ((unsigned char) *value < ' ' && *value != '\t')
			return false;
	}
	return true;
}

static void
add_header(Signed *out, const char *name, const char *value)
{
	for (int i = 0; i < out->nheaders; i++)
	{
		if (strcmp(out->headers[i].name, name) == 0)
			return;
	}
	out->headers[out->nheaders++] = (IotDataHeader) {name, value};
}

static void
take_lines(Signed *out, FuzzInput *input)
{
	while (out->nlines < IOTDATA_SIGV4_MAX_HEADERS && fuzz_left(input) > 0)
	{
		char	   *line = fuzz_text_until(input, '\n');
		char	   *mark = line + strcspn(line, ":=");

		out->lines[out->nlines++] = line;
		if (line[0] == '\0')
			break;
		if (*mark == ':')
		{
			*mark = '\0';
			if (is_header_name(line) && is_header_value(mark + 1) &&
				out->nheaders < IOTDATA_SIGV4_MAX_HEADERS)
				add_header(out, line, mark + 1);
		}
		else if (out->npairs < IOTDATA_SIGV4_MAX_QUERY && mark > line)
		{
			iotdata_buffer_append(&out->query, "&", out->npairs++ > 0);
			iotdata_uri_encode(&out->query, line, (size_t) (mark - line));
			iotdata_buffer_append(&out->query, "=", 1);
			if (*mark == '=')
				iotdata_uri_encode(&out->query, mark + 1, strlen(mark + 1));
		}
	}
}

static void
sign(Signed *out)
{
	IotDataSigv4Request request = {
		"POST", out->path.data, out->query.data, out->headers, out->nheaders,
		out->body, out->body_length
	};
	IotDataSigv4Scope scope = {out->timestamp, "eu-west-1", "iotdata"};
	IotDataSigningKey key = {.valid = false};
	char		signature[IOTDATA_SIGNATURE_SIZE];
	char		text[256];
	size_t		size = 8192 + out->path.length * 3 + out->query.length * 2;
	char	   *storage;
	IotDataBuffer canonical;
	IotDataBuffer to_sign;
	IotDataBuffer authorization;

	for (int i = 0; i < out->nheaders; i++)
		size += 2 * strlen(out->headers[i].name) + strlen(out->headers[i].value) + 4;
	storage = malloc(size);
	CHECK(storage != NULL);
	iotdata_buffer_init(&canonical, storage, size);
	iotdata_buffer_init(&to_sign, text, sizeof(text));
	iotdata_buffer_init(&authorization, out->authorization, sizeof(out->authorization));
	CHECK(iotdata_sigv4_canonical_request(&canonical, &request));
	CHECK(iotdata_sigv4_string_to_sign(&to_sign, &scope, &canonical));
	CHECK(iotdata_sigv4_signing_key(&key, &scope, SECRET));
	CHECK(iotdata_sigv4_signature(signature, &key, &to_sign));
	iotdata_sigv4_authorization(&authorization, &request, &scope, "AKIDEXAMPLE", signature);
	free(storage);
}

/* What the emulator says of it, with one byte of it altered. */
static bool
is_accepted(const Signed *out, unsigned where, unsigned mask)
{
	static const SignatureKeys keys = {"AKIDEXAMPLE", SECRET, NULL, "eu-west-1"};
	SignatureHeader headers[IOTDATA_SIGV4_MAX_HEADERS + 1];
	SignatureRequest request = {"POST", NULL, headers, 0, {0}};
	Buffer		target = {0};
	char	   *body = fuzz_copy(out->body, out->body_length);
	char	   *authorization = fuzz_text(out->authorization, strlen(out->authorization));
	const char *refusal;

	buffer_append(&target, out->path.data, out->path.length);
	buffer_append(&target, "?", out->query.length > 0);
	buffer_append(&target, out->query.data, out->query.length);
	for (int i = 0; i < out->nheaders; i++)
		headers[request.header_count++] = (SignatureHeader) {out->headers[i].name, out->headers[i].value};
	headers[request.header_count++] = (SignatureHeader) {"Authorization", authorization};
	if (mask != 0)
	{
		if (where % 3 == 0 && out->body_length > 0)
			body[where % out->body_length] ^= (char) mask;
		else if (where % 3 == 1 && out->path.length > 1)
			target.data[1 + where % (out->path.length - 1)] ^= 1;
		else
		{
			char	   *digit = authorization + strlen(authorization) - 1 - where % 64;

			*digit = *digit == 'a' ? 'b' : 'a';
		}
	}
	SHA256((const uint8_t *) body, out->body_length, request.body_hash);
	request.target = buffer_text(&target);
	refusal = signature_check(&keys, &request, FUZZ_TIME);
	buffer_free(&target);
	free(body);
	free(authorization);
	return refusal == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, data + size};
	unsigned	where = fuzz_byte(&input);
	unsigned	mask = fuzz_byte(&input);
	Signed		out = {.npairs = 0};
	char	   *path = malloc(size * 3 + 32);
	char	   *query = malloc(size * 3 + 64);
	char	   *label = fuzz_text_until(&input, '\n');

	CHECK(path != NULL && query != NULL);
	iotdata_buffer_init(&out.path, path, size * 3 + 32);
	iotdata_buffer_init(&out.query, query, size * 3 + 64);
	iotdata_buffer_append_string(&out.path, "/connections/");
	iotdata_uri_encode(&out.path, label, strlen(label));
	iotdata_buffer_append_string(&out.path, "/messages");
	iotdata_sigv4_timestamp(out.timestamp, FUZZ_TIME);
	add_header(&out, "host", "localhost:8080");
	add_header(&out, "x-amz-date", out.timestamp);
	take_lines(&out, &input);
	CHECK(!out.path.overflowed && !out.query.overflowed);
	out.body = input.at;
	out.body_length = fuzz_left(&input);

	sign(&out);
	if (strlen(out.authorization) < AUTHORIZATION_SIZE - 300)
	{
		CHECK(is_accepted(&out, 0, 0));
		CHECK(!is_accepted(&out, where, mask | 1));
	}
	for (int i = 0; i < out.nlines; i++)
		free(out.lines[i]);
	free(path);
	free(query);
	free(label);
	return 0;
}
