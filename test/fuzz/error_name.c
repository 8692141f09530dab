/*
 * error_name.c
 *		Error names out of headers and bodies, and secrets taken out of texts.
 *
 * The input: a byte for the size of the storage, then a text; what stands
 * before its first line end is also the secret of the second part.
 */
#include "aws/error_name.h"
#include "aws/json.h"
#include "fuzz.h"

static bool
is_name(const char *text, size_t length)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

static void
check_name(const char *raw, size_t length, size_t room)
{
	char	   *storage = malloc(room);
	char		again[300];
	IotDataBuffer name;
	IotDataBuffer second;
	bool		found;

	CHECK(storage != NULL);
	iotdata_buffer_init(&name, storage, room);
	found = iotdata_error_name(&name, raw, length);
	CHECK(found == (name.length > 0));
	CHECK(name.length < room && strlen(storage) == name.length);
	if (found)
	{
		CHECK(!name.overflowed && name.length <= length && is_name(storage, name.length));
		CHECK(memmem(raw, length, storage, name.length) != NULL);

		/* the name of a name is that name */
		iotdata_buffer_init(&second, again, sizeof(again));
		CHECK(iotdata_error_name(&second, storage, name.length));
		CHECK(second.length == name.length && memcmp(again, storage, name.length) == 0);
	}
	free(storage);
}

/* As the call layer takes it out of a body. */
static void
check_body(const char *text, size_t length, size_t room)
{
	static const char *const members[] = {"code", "Code", "__type", "message", "traceId"};
	const char *why;
	IotDataJson *document = iotdata_json_parse(text, length, &why);

	if (document == NULL)
	{
		CHECK(why != NULL);
		return;
	}
	for (size_t i = 0; i < LENGTH_OF(members); i++)
	{
		IotDataJsonValue value = iotdata_json_member(iotdata_json_root(document), members[i]);

		if (value.type == IOTDATA_JSON_STRING)
		{
			CHECK(strlen(value.string) == value.length);
			check_name(value.string, value.length, room);
		}
	}
	iotdata_json_free(document);
}

/* Which bytes belong to an occurrence? By looking at every place. */
static void
check_redaction(const char *text, size_t length, const char *secret)
{
	size_t		secret_length = strlen(secret);
	char	   *redacted = fuzz_copy(text, length);
	char	   *expected = fuzz_copy(text, length);

	iotdata_redact(redacted, length, secret);
	for (size_t at = 0; secret_length > 0 && at + secret_length <= length; at++)
	{
		if (memcmp(text + at, secret, secret_length) == 0)
			memset(expected + at, '*', secret_length);
	}
	CHECK(memcmp(redacted, expected, length) == 0);
	iotdata_redact(redacted, length, NULL);
	CHECK(memcmp(redacted, expected, length) == 0);
	free(redacted);
	free(expected);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, data + size};
	size_t		room = fuzz_byte(&input) + 1;
	char	   *text = fuzz_copy(input.at, fuzz_left(&input));
	size_t		length = fuzz_left(&input);
	char	   *secret = fuzz_text_until(&input, '\n');

	check_name(text, length, room);
	check_body(text, length, room);
	check_redaction(text, length, secret);
	free(text);
	free(secret);
	return 0;
}
