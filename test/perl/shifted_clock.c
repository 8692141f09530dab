/*
 * shifted_clock.c
 *		A monotonic clock that a test can put forward.
 *
 * Preloaded into a server, it adds to the monotonic clocks as many seconds as
 * the file that SHIFTED_CLOCK names has bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

typedef int (*GetTime) (clockid_t clock, struct timespec *now);

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	static GetTime original;
	const char *file = getenv("SHIFTED_CLOCK");
	struct stat shift;
	int			result;

	if (original == NULL)
		original = (GetTime) dlsym(RTLD_NEXT, "clock_gettime");
	result = original(clock, now);
	if (result == 0 && file != NULL && stat(file, &shift) == 0 &&
		(clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE))
		now->tv_sec += shift.st_size;
	return result;
}
