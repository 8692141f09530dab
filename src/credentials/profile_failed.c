/*
 * profile_failed.c
 *		What is said of a profile that gives no credentials.
 */
#include "postgres.h"

#include "credentials/profile_failed.h"
#include "error/sanitize.h"

/* bytes of a text that a message shows */
#define SHOWN 300

IotDataCredentialsResult
iotdata_profile_failed(IotDataFailure *failure, const char *place,
					   const char *detail, const char *hint)
{
	return iotdata_credentials_fail(failure,
									psprintf("could not get AWS credentials from %s", place),
									detail, hint);
}

char *
iotdata_profile_show(const char *text)
{
	char	   *shown = iotdata_sanitize(text, strlen(text));

	iotdata_truncate(shown, SHOWN);
	return shown;
}
