/*
 * shifted_clock.c
 *		A clock that a test can put forward.
 *
 * Preloaded into a server, it adds to the monotonic clocks, and to what time()
 * says, as many seconds as the file that SHIFTED_CLOCK names has bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

typedef int (*GetTime) (clockid_t clock, struct timespec *now);

static time_t
shift(void)
{
	const char *file = getenv("SHIFTED_CLOCK");
	struct stat found;

	return file != NULL && stat(file, &found) == 0 ? (time_t) found.st_size : 0;
}

static int
original_time(clockid_t clock, struct timespec *now)
{
	static GetTime original;

	if (original == NULL)
		original = (GetTime) dlsym(RTLD_NEXT, "clock_gettime");
	return original(clock, now);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int			result = original_time(clock, now);

	if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
						clock == CLOCK_MONOTONIC_COARSE))
		now->tv_sec += shift();
	return result;
}

time_t
time(time_t *result)
{
	struct timespec now;

	original_time(CLOCK_REALTIME, &now);
	now.tv_sec += shift();
	if (result != NULL)
		*result = now.tv_sec;
	return now.tv_sec;
}
