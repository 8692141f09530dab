/*
 * uri.c
 *		Percent-encoding: what is encoded decodes to what it was.
 */
#include "aws/uri.h"
#include "fuzz.h"

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *found = (c == '\0') ? NULL : strchr(digits, c);

	CHECK(found != NULL);		/* upper case, and complete */
	return (int) (found - digits);
}

/* Decodes, and sees that no more than need be was encoded, and no less. */
static size_t
decode(uint8_t *out, const char *text, size_t length)
{
	static const char unreserved[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t		written = 0;

	for (size_t at = 0; at < length; at++)
	{
		int			byte = (unsigned char) text[at];

		if (byte == '%')
		{
			CHECK(length - at > 2);
			byte = hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]);
			CHECK(byte == 0 || strchr(unreserved, byte) == NULL);
			at += 2;
		}
		else
			CHECK(byte != 0 && strchr(unreserved, byte) != NULL);
		out[written++] = (uint8_t) byte;
	}
	return written;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *storage = malloc(size * 3 + 1);
	uint8_t    *decoded = malloc(size + 1);
	IotDataBuffer whole;
	IotDataBuffer half;
	size_t		length;

	CHECK(storage != NULL && decoded != NULL);
	iotdata_buffer_init(&whole, storage, size * 3 + 1);
	iotdata_uri_encode(&whole, (const char *) data, size);
	length = whole.length;
	CHECK(!whole.overflowed && length >= size && strlen(storage) == length);
	CHECK(decode(decoded, storage, length) == size);
	CHECK(size == 0 || memcmp(decoded, data, size) == 0);

	/* where there is just room it fits, and with one byte less it says so */
	free(storage);
	storage = malloc(length + 1);
	CHECK(storage != NULL);
	iotdata_buffer_init(&whole, storage, length + 1);
	iotdata_uri_encode(&whole, (const char *) data, size / 2);
	iotdata_uri_encode(&whole, (const char *) data + size / 2, size - size / 2);
	CHECK(!whole.overflowed && whole.length == length);
	if (length > 0)
	{
		char	   *small = malloc(length);

		CHECK(small != NULL);
		iotdata_buffer_init(&half, small, length);
		iotdata_uri_encode(&half, (const char *) data, size);
		CHECK(half.overflowed && half.length < length);
		CHECK(memcmp(half.data, storage, half.length) == 0);
		free(small);
	}
	free(storage);
	free(decoded);
	return 0;
}
