/*
 * full_disk.c
 *		A folder whose disk a test can fill.
 *
 * Preloaded into a server, it lets no file grow below the folder that
 * FULL_DISK names, while that has a file "full" in it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* Would this file grow beyond "end", where nothing grows? */
static bool
is_full(int fd, off_t end)
{
	const char *folder = getenv("FULL_DISK");
	char		link[64],
				path[PATH_MAX];
	struct stat found;
	ssize_t		length;

	if (folder == NULL || fstat(fd, &found) != 0 || end <= found.st_size)
		return false;
	snprintf(path, sizeof(path), "%s/full", folder);
	if (access(path, F_OK) != 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	return length > 0 && strncmp(path, folder, strlen(folder)) == 0;
}

static ssize_t
write_or_not(const char *name, int fd, const void *bytes, size_t length, off_t at)
{
	ssize_t		(*original) (int, const void *, size_t, off_t) =
		(ssize_t (*) (int, const void *, size_t, off_t)) dlsym(RTLD_NEXT, name);

	if (!is_full(fd, at + (off_t) length))
		return original(fd, bytes, length, at);
	errno = ENOSPC;
	return -1;
}

static ssize_t
write_all_or_not(const char *name, int fd, const struct iovec *parts, int count, off_t at)
{
	ssize_t		(*original) (int, const struct iovec *, int, off_t) =
		(ssize_t (*) (int, const struct iovec *, int, off_t)) dlsym(RTLD_NEXT, name);
	off_t		length = 0;

	for (int i = 0; i < count; i++)
		length += (off_t) parts[i].iov_len;
	if (!is_full(fd, at + length))
		return original(fd, parts, count, at);
	errno = ENOSPC;
	return -1;
}

static int
allocate_or_not(const char *name, int fd, off_t at, off_t length)
{
	int			(*original) (int, off_t, off_t) =
		(int (*) (int, off_t, off_t)) dlsym(RTLD_NEXT, name);

	return is_full(fd, at + length) ? ENOSPC : original(fd, at, length);
}

ssize_t
pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	return write_or_not("pwrite", fd, bytes, length, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	return write_or_not("pwrite64", fd, bytes, length, at);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	return write_all_or_not("pwritev", fd, parts, count, at);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
	return write_all_or_not("pwritev64", fd, parts, count, at);
}

int
posix_fallocate(int fd, off_t at, off_t length)
{
	return allocate_or_not("posix_fallocate", fd, at, length);
}

int
posix_fallocate64(int fd, off64_t at, off64_t length)
{
	return allocate_or_not("posix_fallocate64", fd, at, length);
}
