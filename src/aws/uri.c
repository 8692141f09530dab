/*
 * uri.c
 *		Percent-encoding as AWS does it.
 */
#include "aws/uri.h"

/* Not isalnum(): the answer must not depend on the locale. */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') ||
		c == '-' || c == '.' || c == '_' || c == '~';
}

void
iotdata_uri_encode(IotDataBuffer *out, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t		at = 0;

	while (at < length)
	{
		size_t		begin = at;
		unsigned char byte;
		char		encoded[3];

		while (at < length && is_unreserved(bytes[at]))
			at++;
		iotdata_buffer_append(out, bytes + begin, at - begin);
		if (at == length)
			break;

		byte = (unsigned char) bytes[at++];
		encoded[0] = '%';
		encoded[1] = digits[byte >> 4];
		encoded[2] = digits[byte & 0x0f];
		iotdata_buffer_append(out, encoded, sizeof(encoded));
	}
}
