/*
 * authorities.c
 *		Which certificate authorities may vouch for a server.
 *
 * To read the authorities of an operating system takes OpenSSL 3 some 40 ms of
 * processor, to look at the file takes a microsecond. So libcurl keeps what it
 * has read, for as long as the file stays the same: when it has been replaced,
 * what was read before that was noticed is too old for libcurl's cache
 * (CURLOPT_CA_CACHE_TIMEOUT).
 *
 * libcurl has a cache for files only, and none at all when there is a folder
 * of authorities as well. Where it knows both by itself (Debian's does), the
 * file has all that the folder has, and is taken alone.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "transport/authorities.h"

/* for CURLOPT_CA_CACHE_TIMEOUT, otherwise in seconds */
#define CACHE_FOREVER (-1L)
#define NO_CACHE 0L

/* A file that was looked at before, and how it was. */
typedef struct AuthorityFile
{
	struct AuthorityFile *next;
	struct stat as_seen;
	int64		changed_at;		/* when it was seen to have changed; 0: never */
	char		path[FLEXIBLE_ARRAY_MEMBER];
} AuthorityFile;

static AuthorityFile *files;

static AuthorityFile *
find_file(const char *path)
{
	for (AuthorityFile *file = files; file != NULL; file = file->next)
	{
		if (strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

static bool
is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
		one->st_size == other->st_size &&
		one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
		one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
		one->st_ctim.tv_sec == other->st_ctim.tv_sec &&
		one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/*
 * How old may be what libcurl has read of a file, in seconds? As old as the
 * last change, rounded down: in the first second the file is read each time.
 * Without memory to remember it in, a file is always read.
 */
static long
cache_timeout(const char *path, const struct stat *seen, int64 now)
{
	AuthorityFile *file = find_file(path);

	if (file == NULL)
	{
		file = malloc(offsetof(AuthorityFile, path) + strlen(path) + 1);
		if (file == NULL)
			return NO_CACHE;
		strcpy(file->path, path);
		file->as_seen = *seen;
		file->changed_at = 0;
		file->next = files;
		files = file;
	}
	if (!is_same(&file->as_seen, seen))
	{
		file->as_seen = *seen;
		file->changed_at = now;
	}
	return file->changed_at == 0 ? CACHE_FOREVER : (long) ((now - file->changed_at) / 1000);
}

/* The system's file of authorities; NULL when libcurl knows of none. */
static const char *
system_file(void)
{
	return curl_version_info(CURLVERSION_NOW)->cainfo;
}

CURLcode
iotdata_authorities_set(CURL *easy, const char *ca_file, int64 now)
{
	bool		is_given = ca_file[0] != '\0';
	const char *path = is_given ? ca_file : system_file();
	long		timeout = NO_CACHE;
	struct stat seen;
	CURLcode	result;

	if (path != NULL && stat(path, &seen) == 0)
		timeout = cache_timeout(path, &seen, now);
	else if (!is_given)
		return CURLE_OK;		/* whatever libcurl was built to look for */
	result = curl_easy_setopt(easy, CURLOPT_CAINFO, path);
	if (result == CURLE_OK)
		result = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (result == CURLE_OK)
		result = curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, timeout);
	/* a libcurl without such a cache reads the file each time */
	return result == CURLE_NOT_BUILT_IN || result == CURLE_UNKNOWN_OPTION ? CURLE_OK : result;
}
