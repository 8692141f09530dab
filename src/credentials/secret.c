/*
 * secret.c
 *		Memory that may hold a secret: cleared before it is freed.
 */
#include "postgres.h"

#include "credentials/secret.h"
#include "error/sanitize.h"
#include "storage/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Secret
{
	MemoryContextCallback callback;
	size_t		size;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];
} Secret;

static void
clear(void *arg)
{
	Secret	   *secret = arg;

	explicit_bzero(secret->bytes, secret->size);
}

char *
iotdata_secret_alloc(size_t size)
{
	Secret	   *secret = palloc0(offsetof(Secret, bytes) + size);

	secret->size = size;
	secret->callback.func = clear;
	secret->callback.arg = secret;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &secret->callback);
	return secret->bytes;
}

char *
iotdata_secret_copy(const char *bytes, size_t length)
{
	char	   *copy = iotdata_secret_alloc(length + 1);

	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

/* Without white space at the ends, in place. */
static char *
trim(char *text)
{
	size_t		length = strlen(text);

	while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
		text[--length] = '\0';
	return text + strspn(text, " \t\r\n");
}

/* Read what there is; returns its length, or -1 with errno set. */
static ssize_t
read_all(int fd, char *bytes, size_t size)
{
	size_t		length = 0;
	ssize_t		n;

	while (length < size && (n = read(fd, bytes + length, size - length)) != 0)
	{
		if (n < 0 && errno != EINTR)
			return -1;
		length += Max(n, 0);
	}
	return (ssize_t) length;
}

/* The file's name, as a message may show it. */
static const char *
shown(const char *path)
{
	return iotdata_sanitize(path, strlen(path));
}

static char *
read_descriptor(int fd, const char *path, size_t limit, const char **why)
{
	struct stat status;
	char	   *bytes;
	ssize_t		length;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
	{
		*why = psprintf("\"%s\" is not a regular file.", shown(path));
		return NULL;
	}
	bytes = iotdata_secret_alloc(limit + 2);
	length = read_all(fd, bytes, limit + 1);
	if (length < 0)
		*why = psprintf("\"%s\" could not be read: %s.", shown(path), strerror(errno));
	else if ((size_t) length > limit)
		*why = psprintf("\"%s\" has more than %zu bytes.", shown(path), limit);
	else if (strlen(bytes) != (size_t) length)
		*why = psprintf("\"%s\" contains a NUL byte.", shown(path));
	else if (*trim(bytes) == '\0')
		*why = psprintf("\"%s\" is empty.", shown(path));
	else
		return trim(bytes);
	return NULL;
}

char *
iotdata_secret_read_file(const char *path, size_t limit, const char **why)
{
	char	   *content;

	/* not to be held up by what is no file */
	int			fd = BasicOpenFile(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
	{
		*why = psprintf("\"%s\" could not be opened: %s.", shown(path), strerror(errno));
		return NULL;
	}
	content = read_descriptor(fd, path, limit, why);
	close(fd);
	return content;
}
