/*
 * slow_resolver.c
 *		A name server that does not answer, for tests.
 *
 * Preloaded into a server, it makes every look-up of a name under
 * "slow.invalid" hang for an hour; other names are looked up as ever.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

typedef int (*LookUp) (const char *, const char *, const struct addrinfo *,
					   struct addrinfo **);

static int
is_slow(const char *name)
{
	static const char suffix[] = "slow.invalid";
	size_t		length = name ? strlen(name) : 0;

	return length >= sizeof(suffix) - 1 &&
		strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0;
}

int
getaddrinfo(const char *name, const char *service,
			const struct addrinfo *hints, struct addrinfo **result)
{
	LookUp		original = (LookUp) dlsym(RTLD_NEXT, "getaddrinfo");
	struct timespec pause = {.tv_sec = 3600};

	if (!is_slow(name))
		return original(name, service, hints, result);
	while (nanosleep(&pause, &pause) != 0)
		;
	return EAI_AGAIN;
}
