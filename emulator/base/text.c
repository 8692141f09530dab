/*
 * text.c
 *	  UTF-8, percent encoding, base64 and numbers, all strict.
 */
#include "base/text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The length of the sequence that starts here, or 0. */
static size_t
utf8_sequence(const uint8_t *at, size_t left)
{
	size_t		length = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 :
		at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;

	if (length == 0 || length > left || at[0] == 0)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
		(at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return length;
}

bool
text_is_utf8(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length > 0)
	{
		size_t		step = utf8_sequence(at, length);

		if (step == 0)
			return false;
		at += step;
		length -= step;
	}
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

char *
text_percent_decode(const char *text, size_t length)
{
	char	   *result = memory_alloc(length + 1);
	size_t		written = 0;

	for (size_t i = 0; i < length; i++)
	{
		int			byte = (unsigned char) text[i];

		if (byte == '%')
		{
			int			high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
			int			low = i + 2 < length ? hex_digit(text[i + 2]) : -1;

			byte = high < 0 || low < 0 ? 0 : high * 16 + low;
			i += 2;
		}
		if (byte == 0)
		{
			free(result);
			return NULL;
		}
		result[written++] = (char) byte;
	}
	return result;
}

bool
text_base64_decode(const char *text, Buffer *result)
{
	size_t		length = strlen(text);
	size_t		padding = 0;
	int			decoded;

	result->length = 0;
	if (length == 0)
		return true;
	if (length % 4 != 0 || length > (1 << 20) ||
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != length)
		return false;
	while (padding < 2 && text[length - 1 - padding] == '=')
		padding++;
	if (strcspn(text, "=") < length - padding)
		return false;
	buffer_reserve(result, length / 4 * 3 + 1);
	decoded = EVP_DecodeBlock(result->data, (const unsigned char *) text, (int) length);
	if (decoded < 0)
		return false;
	result->length = (size_t) decoded - padding;
	return true;
}

char *
text_base64_encode(const void *bytes, size_t length)
{
	char	   *result = memory_alloc(length / 3 * 4 + 5);

	EVP_EncodeBlock((unsigned char *) result, bytes, (int) length);
	return result;
}

bool
text_parse_number(const char *text, int64_t minimum, int64_t maximum, int64_t *result)
{
	char	   *end;
	long long	number;

	if (text[0] == '\0' || strspn(text, "0123456789-") != strlen(text))
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || number < minimum || number > maximum)
		return false;
	*result = number;
	return true;
}

bool
text_parse_percent(const char *text, double *result)
{
	char	   *end;
	double		number;

	if (text[0] == '\0' || strspn(text, "0123456789.") != strlen(text))
		return false;
	number = strtod(text, &end);
	if (*end != '\0' || number > 100)
		return false;
	*result = number;
	return true;
}

void
text_make_uuid(char *uuid)
{
	uint8_t		bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
	{
		fputs("iotdata-emulator: no random numbers\n", stderr);
		exit(1);
	}
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
	{
		static const char digits[] = "0123456789abcdef";

		if (i == 4 || i == 6 || i == 8 || i == 10)
			*uuid++ = '-';
		*uuid++ = digits[bytes[i] >> 4];
		*uuid++ = digits[bytes[i] & 15];
	}
	*uuid = '\0';
}
