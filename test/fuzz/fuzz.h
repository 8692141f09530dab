/*
 * fuzz.h
 *		What every fuzz target includes.
 *
 * A target takes any bytes, runs what it is about, and checks what must hold
 * whatever they were.
 */
#ifndef IOTDATA_TEST_FUZZ_H
#define IOTDATA_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What must hold, whatever the input. */
#define CHECK(condition) \
	((condition) ? (void) 0 : fuzz_fail(#condition, __FILE__, __LINE__))

static inline void
__attribute__((noreturn))
fuzz_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: this must hold: %s\n", file, line, condition);
	abort();
}

/*
 * A copy of exactly "length" bytes, so that the address sanitizer sees a read
 * beyond. To be freed.
 */
static inline char *
fuzz_copy(const void *bytes, size_t length)
{
	char	   *copy = malloc(length > 0 ? length : 1);

	CHECK(copy != NULL);
	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

/* The same with a NUL behind it. */
static inline char *
fuzz_text(const void *bytes, size_t length)
{
	char	   *copy = malloc(length + 1);

	CHECK(copy != NULL);
	if (length > 0)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

/* What is left of an input. */
typedef struct FuzzInput
{
	const uint8_t *at;
	const uint8_t *end;
} FuzzInput;

static inline size_t
fuzz_left(const FuzzInput *input)
{
	return (size_t) (input->end - input->at);
}

/* The next byte; 0 at the end. */
static inline unsigned
fuzz_byte(FuzzInput *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

/* A big-endian number of two bytes. */
static inline unsigned
fuzz_u16(FuzzInput *input)
{
	unsigned	high = fuzz_byte(input);

	return high << 8 | fuzz_byte(input);
}

/* The next bytes, as many of them as there are. Returns how many. */
static inline size_t
fuzz_bytes(FuzzInput *input, size_t length, const uint8_t **bytes)
{
	if (length > fuzz_left(input))
		length = fuzz_left(input);
	*bytes = input->at;
	input->at += length;
	return length;
}

/*
 * The bytes up to "mark", which is skipped, or up to the end; as a text, which
 * ends early at a NUL among them. To be freed.
 */
static inline char *
fuzz_text_until(FuzzInput *input, char mark)
{
	const uint8_t *begin = input->at;
	const uint8_t *found = memchr(begin, mark, fuzz_left(input));

	input->at = (found != NULL) ? found + 1 : input->end;
	return fuzz_text(begin, (size_t) ((found != NULL ? found : input->end) - begin));
}

/* The length of the character of UTF-8 that is here (RFC 3629); 0: it is none. */
static inline size_t
fuzz_utf8(const uint8_t *at, size_t left)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		length = at[0] < 0x80 ? 1 : (at[0] & 0xe0) == 0xc0 ? 2 :
		(at[0] & 0xf0) == 0xe0 ? 3 : (at[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t	code;

	if (length < 2 || length > left)
		return length == 1;
	code = at[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++)
	{
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

#endif							/* IOTDATA_TEST_FUZZ_H */
