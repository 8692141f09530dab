/*
 * clock.c
 *		The time that requests are signed with.
 */
#include "postgres.h"

#include "call/clock.h"

/* The service takes signatures that are some minutes off. */
#define TOLERATED_SKEW (4 * 60)

/* What the server's clock lacks to be right, in seconds. */
static time_t offset;

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
