/*
 * emulator_text.c
 *		The emulator's percent-encoding, base64, UTF-8, numbers and topics,
 *		each against another way to do the same.
 *
 * The input is a text; of topics, a filter and a name, with a line end between.
 */
#include <errno.h>

#include "aws/uri.h"
#include "base/text.h"
#include "broker/topic.h"
#include "fuzz.h"

static void
check_percent(const char *text, size_t length)
{
	char	   *decoded = text_percent_decode(text, length);
	char	   *storage;
	char	   *again;
	IotDataBuffer encoded;

	if (decoded == NULL)
	{
		CHECK(memchr(text, '%', length) != NULL || memchr(text, '\0', length) != NULL);
		return;
	}
	CHECK(strlen(decoded) <= length);
	storage = malloc(length * 3 + 1);
	CHECK(storage != NULL);
	iotdata_buffer_init(&encoded, storage, length * 3 + 1);
	iotdata_uri_encode(&encoded, decoded, strlen(decoded));
	again = text_percent_decode(storage, encoded.length);
	CHECK(again != NULL && strcmp(again, decoded) == 0);
	free(again);
	free(storage);
	free(decoded);
}

static void
check_base64(const char *text, const char *bytes, size_t length)
{
	char	   *encoded = text_base64_encode(bytes, length);
	Buffer		decoded = {0};

	CHECK(strlen(encoded) == (length + 2) / 3 * 4);
	CHECK(text_base64_decode(encoded, &decoded) && decoded.length == length);
	CHECK(length == 0 || memcmp(decoded.data, bytes, length) == 0);
	free(encoded);

	/* and what it decodes has such a form */
	if (text_base64_decode(text, &decoded))
	{
		CHECK(decoded.length <= strlen(text) / 4 * 3);
		encoded = text_base64_encode(decoded.data, decoded.length);
		CHECK(strlen(encoded) == strlen(text));
		free(encoded);
	}
	else
		CHECK(decoded.length == 0);
	buffer_free(&decoded);
}

static void
check_utf8(const uint8_t *bytes, size_t length)
{
	bool		valid = true;

	for (size_t at = 0; valid && at < length;)
	{
		size_t		step = fuzz_utf8(bytes + at, length - at);

		valid = step > 0 && bytes[at] != 0;
		at += step;
	}
	CHECK(text_is_utf8(bytes, length) == valid);
}

static void
check_number(const char *text)
{
	int64_t		number = -77;
	bool		taken = text_parse_number(text, -1000, INT64_MAX, &number);
	char	   *end;
	long long	expected;

	if (!taken)
	{
		CHECK(number == -77);
		return;
	}
	errno = 0;
	expected = strtoll(text, &end, 10);
	CHECK(errno == 0 && *end == '\0' && expected == number && number >= -1000);
}

/* Level by level, and by itself again for the rest. */
static bool
matches(const char *filter, const char *topic)
{
	size_t		level = strcspn(filter, "/");
	size_t		other = strcspn(topic, "/");

	if (strcmp(filter, "#") == 0)
		return true;
	if (!(level == 1 && filter[0] == '+') &&
		(level != other || memcmp(filter, topic, level) != 0))
		return false;
	if (topic[other] == '\0')
		return filter[level] == '\0' || strcmp(filter + level, "/#") == 0;
	return filter[level] == '/' && matches(filter + level + 1, topic + other + 1);
}

static void
check_topics(const char *filter, const char *topic)
{
	CHECK(!topic_is_name(filter) || (topic_is_filter(filter) && !topic_has_wildcard(filter)));
	if (!topic_is_filter(filter) || !topic_is_name(topic))
		return;
	CHECK(topic_matches(filter, topic) ==
		  (matches(filter, topic) && (topic[0] != '$' || filter[0] == '$')));
	CHECK(topic_matches(topic, topic));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, data + size};
	char	   *copy = fuzz_copy(data, size);
	char	   *text = fuzz_text(data, size);
	char	   *filter = fuzz_text_until(&input, '\n');
	char	   *topic = fuzz_text_until(&input, '\n');

	check_percent(copy, size);
	check_base64(text, copy, size);
	check_utf8((const uint8_t *) copy, size);
	check_number(text);
	check_topics(filter, topic);
	free(copy);
	free(text);
	free(filter);
	free(topic);
	return 0;
}
