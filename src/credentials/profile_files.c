/*
 * profile_files.c
 *		AWS's config and credentials files, as they are now.
 *
 * A file is kept as it was read, with its secrets, in a memory context of its
 * own, and cleared when that goes: as soon as the file is seen to have changed.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "credentials/profile_files.h"
#include "error/sanitize.h"
#include "port.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#define LARGEST (1024 * 1024)

/* Where a file is, and what it was when it was read. */
typedef struct KeptFile
{
	const char *variable;		/* that names it */
	const char *below_home;		/* its path else */
	bool		credentials;

	char		path[MAXPGPATH];
	char	   *shown_path;		/* in TopMemoryContext */
	MemoryContext context;		/* NULL: it is not read */
	struct stat status;
	IotDataProfileFile file;
	char	   *text;			/* of status.st_size bytes */
	TimestampTz looked_at;		/* the statement that last looked whether it
								 * has changed */
} KeptFile;

static KeptFile config = {
	.variable = "AWS_CONFIG_FILE", .below_home = ".aws/config"
};
static KeptFile credentials = {
	.variable = "AWS_SHARED_CREDENTIALS_FILE", .below_home = ".aws/credentials",
	.credentials = true
};

static bool
fail(IotDataFailure *failure, const KeptFile *kept, const char *detail)
{
	*failure = (IotDataFailure)
	{
		.sqlstate = ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
			.message = psprintf("could not read the AWS %s file \"%s\"",
								kept->credentials ? "credentials" : "config",
								kept->shown_path),
			.detail = detail
	};
	return false;
}

/* ---- where they are ---- */

/* False when there is no such path: no home, or a path that is too long. */
static bool
find_path(const KeptFile *kept, char path[MAXPGPATH])
{
	const char *given = getenv(kept->variable);
	const char *below_home = kept->below_home;
	char		home[MAXPGPATH];

	if (given != NULL && given[0] != '\0')
	{
		if (strncmp(given, "~/", 2) != 0)
			return strlcpy(path, given, MAXPGPATH) < MAXPGPATH;
		below_home = given + 2;
	}
	if (!get_home_path(home))
		return false;
	return snprintf(path, MAXPGPATH, "%s/%s", home, below_home) < MAXPGPATH;
}

/* The environment of a process does not change: this is done once. */
static bool
know_path(KeptFile *kept)
{
	if (kept->path[0] == '\0' && !find_path(kept, kept->path))
	{
		kept->path[0] = '\0';
		return false;
	}
	if (kept->shown_path == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		kept->shown_path = iotdata_sanitize(kept->path, strlen(kept->path));
		MemoryContextSwitchTo(caller);
	}
	return true;
}

/* ---- what is kept ---- */

/* The context's reset callback. */
static void
clear(void *arg)
{
	KeptFile   *kept = arg;

	if (kept->text != NULL)
		explicit_bzero(kept->text, (size_t) kept->status.st_size);
	kept->text = NULL;
}

static void
forget(KeptFile *kept)
{
	if (kept->context == NULL)
		return;
	MemoryContextDelete(kept->context);
	kept->context = NULL;
}

static bool
is_unchanged(const KeptFile *kept, const struct stat *status)
{
	return kept->context != NULL &&
		kept->status.st_dev == status->st_dev &&
		kept->status.st_ino == status->st_ino &&
		kept->status.st_size == status->st_size &&
		kept->status.st_mtim.tv_sec == status->st_mtim.tv_sec &&
		kept->status.st_mtim.tv_nsec == status->st_mtim.tv_nsec &&
		kept->status.st_ctim.tv_sec == status->st_ctim.tv_sec &&
		kept->status.st_ctim.tv_nsec == status->st_ctim.tv_nsec;
}

/* ---- reading ---- */

/*
 * As many bytes as the file had; what is written meanwhile changes its times,
 * and is read the next time.
 */
static bool
read_bytes(KeptFile *kept, int fd, IotDataFailure *failure)
{
	size_t		size = (size_t) kept->status.st_size;
	size_t		length = 0;

	while (length < size)
	{
		ssize_t		n = read(fd, kept->text + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(failure, kept, psprintf("%m."));
		if (n == 0)
			return fail(failure, kept, "It became shorter while it was read.");
		length += (size_t) n;
	}
	return true;
}

static bool
parse(KeptFile *kept, IotDataFailure *failure)
{
	size_t		length = (size_t) kept->status.st_size;
	size_t		capacity = iotdata_profile_file_capacity(kept->text, length);
	IotDataProfileEntry *entries = MemoryContextAllocHuge(kept->context,
														  capacity * sizeof(*entries));
	IotDataProfileError error;
	int			line;

	if (iotdata_profile_file_read(&kept->file, kept->credentials, kept->text, length,
								  entries, capacity, &error, &line))
		return true;
	return fail(failure, kept,
				psprintf("Line %d %s.", line, iotdata_profile_explain(error)));
}

static bool
read_open(KeptFile *kept, int fd, IotDataFailure *failure)
{
	MemoryContextCallback *callback;

	if (fstat(fd, &kept->status) != 0)
		return fail(failure, kept, psprintf("%m."));
	if (!S_ISREG(kept->status.st_mode))
		return fail(failure, kept, "It is not a plain file any more.");
	if (kept->status.st_size > LARGEST)
		return fail(failure, kept, "It is larger than 1 MB.");
	kept->context = AllocSetContextCreate(TopMemoryContext, "iotdata AWS file",
										  ALLOCSET_SMALL_SIZES);
	callback = MemoryContextAlloc(kept->context, sizeof(*callback));
	callback->func = clear;
	callback->arg = kept;
	MemoryContextRegisterResetCallback(kept->context, callback);
	kept->text = MemoryContextAllocZero(kept->context, (size_t) kept->status.st_size + 1);
	return read_bytes(kept, fd, failure) && parse(kept, failure);
}

static bool
read_anew(KeptFile *kept, IotDataFailure *failure)
{
	int			fd = OpenTransientFile(kept->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool		good;

	if (fd < 0)
		return fail(failure, kept, psprintf("%m."));
	good = read_open(kept, fd, failure);
	CloseTransientFile(fd);
	if (!good)
		forget(kept);
	return good;
}

/* "*file" is NULL when there is none. */
static bool
read_file(KeptFile *kept, const IotDataProfileFile **file,
		  IotDataFailure *failure)
{
	struct stat status;

	*file = NULL;
	if (kept->looked_at == GetCurrentStatementStartTimestamp())
	{
		*file = kept->context != NULL ? &kept->file : NULL;
		return true;
	}
	if (!know_path(kept) || stat(kept->path, &status) != 0 || !S_ISREG(status.st_mode))
	{
		forget(kept);
		kept->looked_at = GetCurrentStatementStartTimestamp();
		return true;
	}
	if (!is_unchanged(kept, &status))
	{
		forget(kept);
		if (!read_anew(kept, failure))
			return false;
	}
	kept->looked_at = GetCurrentStatementStartTimestamp();
	*file = &kept->file;
	return true;
}

bool
iotdata_profile_files_read(IotDataProfileFiles *files, IotDataFailure *failure)
{
	if (!read_file(&config, &files->config, failure) ||
		!read_file(&credentials, &files->credentials, failure))
		return false;
	files->config_path = config.shown_path != NULL ? config.shown_path : "~/.aws/config";
	files->credentials_path = credentials.shown_path != NULL ?
		credentials.shown_path : "~/.aws/credentials";
	return true;
}

/* ---- profiles ---- */

const char *
iotdata_profile_of_environment(const char **variable)
{
	static const char *const variables[] = {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"};

	for (size_t i = 0; i < lengthof(variables); i++)
	{
		const char *name = getenv(variables[i]);

		if (name == NULL || name[0] == '\0')
			continue;
		*variable = variables[i];
		return name;
	}
	*variable = NULL;
	return "default";
}

bool
iotdata_profile_files_find(const char *name, IotDataProfileFiles *files,
						   IotDataProfile *profile, bool *found,
						   IotDataFailure *failure)
{
	const char *variable = NULL;
	bool		given = name != NULL;
	char	   *shown;

	if (!given)
		name = iotdata_profile_of_environment(&variable);
	*found = false;
	if (!iotdata_profile_files_read(files, failure))
		return false;
	*found = iotdata_profile_find(profile, files->config, files->credentials, name);
	if (*found || (!given && variable == NULL))
		return true;
	shown = iotdata_sanitize(name, strlen(name));
	*failure = (IotDataFailure)
	{
		.sqlstate = ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
			.message = psprintf("there is no AWS profile \"%s\"", shown),
			.detail = psprintf("There is neither [profile %s] in \"%s\" nor [%s] in \"%s\".",
							   shown, files->config_path, shown, files->credentials_path),
			.hint = given ? NULL : psprintf("%s in the environment of the database server names it.", variable)
	};
	return false;
}
