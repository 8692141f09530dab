/*
 * unit.h
 *		What every unit test includes first.
 */
#ifndef IOTDATA_TEST_UNIT_H
#define IOTDATA_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Is the value from "least" to "most"? (cmocka's own has changed its name.) */
static inline void
assert_within(int64_t value, int64_t least, int64_t most)
{
	if (value < least || value > most)
		fail_msg("%lld is not from %lld to %lld", (long long) value,
				 (long long) least, (long long) most);
}

/*
 * A copy of "length" bytes that ends where its storage does, so that
 * sanitizers and valgrind see a read beyond. To be freed.
 */
static inline char *
exact_copy(const void *bytes, size_t length)
{
	char	   *copy = malloc(length > 0 ? length : 1);

	assert_non_null(copy);
	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

#endif							/* IOTDATA_TEST_UNIT_H */
