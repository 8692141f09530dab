/*
 * utf8.c
 *		UTF-8, character by character.
 */
#include "aws/utf8.h"

/* How many bytes should begin with this one? 0: no character begins with it. */
static size_t
expected_length(unsigned char first)
{
	if (first <= 0x7f)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

size_t
iotdata_utf8_length(const char *at, size_t left)
{
	const unsigned char *bytes = (const unsigned char *) at;
	size_t		length = (left > 0) ? expected_length(bytes[0]) : 0;
	unsigned char low = 0x80;	/* bounds of the second byte */
	unsigned char high = 0xbf;

	if (length == 0 || length > left)
		return 0;
	if (bytes[0] == 0xe0)
		low = 0xa0;
	else if (bytes[0] == 0xed)
		high = 0x9f;
	else if (bytes[0] == 0xf0)
		low = 0x90;
	else if (bytes[0] == 0xf4)
		high = 0x8f;

	for (size_t i = 1; i < length; i++)
	{
		if (bytes[i] < low || bytes[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}
