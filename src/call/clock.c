/*
 * clock.c
 *		The time that waiting goes by, and the one that requests are signed with.
 */
#include "postgres.h"

#include "call/clock.h"
#include "datatype/timestamp.h"

/* The service takes signatures that are some minutes off. */
#define TOLERATED_SKEW (4 * 60)

/* What the server's clock lacks to be right, in seconds. */
static time_t offset;

int64
iotdata_clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * USECS_PER_SEC + now.tv_nsec / 1000;
}

time_t
iotdata_clock_now(void)
{
	return time(NULL) + offset;
}

bool
iotdata_clock_correct(time_t date)
{
	time_t		skew = date - iotdata_clock_now();

	if (date < 0 || (skew >= -TOLERATED_SKEW && skew <= TOLERATED_SKEW))
		return false;
	offset += skew;
	return true;
}
