/*
 * profile_files.h
 *		AWS's config and credentials files, as they are now.
 */
#ifndef IOTDATA_CREDENTIALS_PROFILE_FILES_H
#define IOTDATA_CREDENTIALS_PROFILE_FILES_H

#include "postgres.h"

#include "aws/profile_tree.h"
#include "error/failure.h"

/* Both files; valid until they are read the next time. */
typedef struct IotDataProfileFiles
{
	const IotDataProfileFile *config;	/* NULL: there is none */
	const IotDataProfileFile *credentials;
	const char *config_path;	/* for messages: sanitized */
	const char *credentials_path;
} IotDataProfileFiles;

/*
 * The files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, else
 * ~/.aws/config and ~/.aws/credentials of whom the server runs as. They are
 * read when they have changed. As for AWS's CLI, one that is not there or not a
 * plain file (/dev/null) is as good as none. Returns false with "failure"
 * filled (28000) when one cannot be read, is larger than 1 MB, or is not as it
 * should be.
 */
extern bool iotdata_profile_files_read(IotDataProfileFiles *files,
									   IotDataFailure *failure);

/*
 * The profile that AWS's clients use when they are told none: that of
 * AWS_DEFAULT_PROFILE or AWS_PROFILE, in the order that AWS's CLI has, with
 * "*variable" set to which of them; else "default", and NULL.
 */
extern const char *iotdata_profile_of_environment(const char **variable);

/*
 * Look a profile up in the files as they are now. "name" NULL: that of the
 * environment; when not even a variable names it, it need not be there, and
 * "*found" is false then. Otherwise returns false with "failure" filled (28000).
 */
extern bool iotdata_profile_files_find(const char *name,
									   IotDataProfileFiles *files,
									   IotDataProfile *profile, bool *found,
									   IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_PROFILE_FILES_H */
