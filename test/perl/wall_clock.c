/*
 * wall_clock.c
 *		A wall clock that a test can set.
 *
 * Preloaded into a server, it adds to the time of day as many seconds as are
 * written in the file that WALL_CLOCK names; they may be negative. Monotonic
 * clocks go on as they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t
shift(void)
{
	const char *file = getenv("WALL_CLOCK");
	char		text[32] = "";
	int			fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return (time_t) atoll(text);
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	static int	(*original) (struct timeval *, void *);
	int			result;

	if (original == NULL)
		original = (int (*) (struct timeval *, void *)) dlsym(RTLD_NEXT, "gettimeofday");
	result = original(now, zone);
	now->tv_sec += shift();
	return result;
}

time_t
time(time_t *result)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	if (result != NULL)
		*result = now.tv_sec;
	return now.tv_sec;
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	static int	(*original) (clockid_t, struct timespec *);
	int			result;

	if (original == NULL)
		original = (int (*) (clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
	result = original(clock, now);
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += shift();
	return result;
}
