/*
 * http1.c
 *		Responses of HTTP/1: however one is split, the same is read from it; and
 *		what is read keeps to the limits.
 *
 * The input: a byte for the largest body, a byte for the number of splits,
 * then for each split two bytes that say where it is, then the response.
 */
#include "aws/http1.h"
#include "fuzz.h"

#define MAX_SPLITS 15

/* Read the bytes in pieces that end at the splits, which ascend. */
static void
read_in_pieces(IotDataHttp1 *response, size_t max_body, const uint8_t *bytes,
			   size_t length, const size_t *splits, size_t nsplits)
{
	size_t		at = 0;

	iotdata_http1_init(response, max_body);
	for (size_t i = 0; i <= nsplits; i++)
	{
		size_t		end = i < nsplits ? splits[i] : length;
		char	   *piece = fuzz_copy(bytes + at, end - at);

		iotdata_http1_feed(response, piece, end - at);
		free(piece);
		at = end;
	}
	iotdata_http1_end(response);
}

static void
check_text(const char *one, const char *other)
{
	CHECK((one == NULL) == (other == NULL));
	CHECK(one == NULL || strcmp(one, other) == 0);
}

static void
check_same(const IotDataHttp1 *one, const IotDataHttp1 *other)
{
	static const char *const headers[] = {
		"content-length", "transfer-encoding", "connection", "date",
		"x-amzn-errortype", "x-amzn-requestid", "keep-alive", "x"
	};
	size_t		length;
	size_t		other_length;

	CHECK(one->state == other->state);
	CHECK(iotdata_http1_problem(one) == iotdata_http1_problem(other));
	if (one->state != IOTDATA_HTTP1_COMPLETE)
		return;
	CHECK(iotdata_http1_status(one) == iotdata_http1_status(other));
	CHECK(iotdata_http1_keeps_alive(one) == iotdata_http1_keeps_alive(other));
	CHECK(iotdata_http1_idle_seconds(one) == iotdata_http1_idle_seconds(other));
	for (size_t i = 0; i < LENGTH_OF(headers); i++)
		check_text(iotdata_http1_header(one, headers[i]), iotdata_http1_header(other, headers[i]));
	iotdata_http1_body(one, &length);
	CHECK(memcmp(iotdata_http1_body(one, &length), iotdata_http1_body(other, &other_length), length) == 0);
	CHECK(length == other_length);
}

/* What must be true of any response. */
static void
check_limits(const IotDataHttp1 *response, size_t max_body)
{
	size_t		length;

	CHECK((response->state == IOTDATA_HTTP1_MALFORMED) == (iotdata_http1_problem(response) != NULL));
	CHECK(response->state != IOTDATA_HTTP1_NO_MEMORY);
	CHECK(response->head_length <= IOTDATA_HTTP1_MAX_HEAD);
	iotdata_http1_body(response, &length);
	CHECK(length <= max_body);
	if (response->state == IOTDATA_HTTP1_COMPLETE)
		CHECK(iotdata_http1_status(response) >= 200 && iotdata_http1_status(response) <= 999);
}

/* A byte more is more than belongs to it, if its end was not the connection's. */
static void
check_one_more(IotDataHttp1 *response)
{
	if (response->state == IOTDATA_HTTP1_COMPLETE)
		CHECK(iotdata_http1_feed(response, "x", 1) == IOTDATA_HTTP1_MALFORMED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, data + size};
	size_t		max_body = fuzz_byte(&input) * 16;
	size_t		nsplits = fuzz_byte(&input) % (MAX_SPLITS + 1);
	size_t		splits[MAX_SPLITS];
	size_t		least = 0;
	size_t		length;
	IotDataHttp1 whole;
	IotDataHttp1 split;
	IotDataHttp1 bytes;

	for (size_t i = 0; i < nsplits; i++)
		splits[i] = fuzz_u16(&input);
	length = fuzz_left(&input);
	for (size_t i = 0; i < nsplits; i++)
	{
		splits[i] = least + splits[i] % (length - least + 1);
		least = splits[i];
	}
	read_in_pieces(&whole, max_body, input.at, length, NULL, 0);
	check_limits(&whole, max_body);
	read_in_pieces(&split, max_body, input.at, length, splits, nsplits);
	check_same(&split, &whole);
	iotdata_http1_init(&bytes, max_body);
	for (size_t i = 0; i < length; i++)
		iotdata_http1_feed(&bytes, (const char *) input.at + i, 1);
	iotdata_http1_end(&bytes);
	check_same(&bytes, &whole);
	check_one_more(&whole);
	iotdata_http1_free(&whole);
	iotdata_http1_free(&split);
	iotdata_http1_free(&bytes);
	return 0;
}
