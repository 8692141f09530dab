/*
 * names.c
 *		A name server for tests.
 *
 * Preloaded into a server, it knows the names under "example.test": each has
 * the address that the file NAMES has in its first line. Each look-up adds a
 * line to the file NAMES_ASKED, the name and the address family. Other names are looked up as ever.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*LookUp) (const char *, const char *, const struct addrinfo *,
					   struct addrinfo **);

static int
is_ours(const char *name)
{
	static const char suffix[] = "example.test";
	size_t		length = name ? strlen(name) : 0;

	return length >= sizeof(suffix) - 1 &&
		strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0;
}

static void
note(const char *name, int family)
{
	const char *file = getenv("NAMES_ASKED");
	int			fd = file ? open(file, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s %d\n", name, family);
	close(fd);
}

int
getaddrinfo(const char *name, const char *service,
			const struct addrinfo *hints, struct addrinfo **result)
{
	LookUp		original = (LookUp) dlsym(RTLD_NEXT, "getaddrinfo");
	const char *file = getenv("NAMES");
	char		address[64] = "";
	FILE	   *in;

	if (!is_ours(name))
		return original(name, service, hints, result);
	note(name, hints != NULL ? hints->ai_family : AF_UNSPEC);
	in = file ? fopen(file, "r") : NULL;
	if (in != NULL && fgets(address, sizeof(address), in) != NULL)
		address[strcspn(address, "\n")] = '\0';
	if (in != NULL)
		fclose(in);
	return address[0] ? original(address, service, hints, result) : EAI_NONAME;
}
