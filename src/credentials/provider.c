/*
 * provider.c
 *		What the providers of credentials share.
 */
#include "postgres.h"

#include "credentials/provider.h"

/* An empty variable is as good as none, as AWS's clients have it. */
const char *
iotdata_credentials_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

IotDataCredentialsResult
iotdata_credentials_fail(IotDataFailure *failure, const char *message,
						 const char *detail, const char *hint)
{
	iotdata_fail(failure, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, message, detail, hint);
	return IOTDATA_CREDENTIALS_FAILED;
}

IotDataCredentialsResult
iotdata_credentials_none(IotDataFailure *failure, const char *why)
{
	failure->detail = why;
	return IOTDATA_CREDENTIALS_NONE;
}

bool
iotdata_credentials_is_header_safe(const char *value)
{
	if (*value == '\0')
		return false;
	for (; *value != '\0'; value++)
	{
		if (*value <= ' ' || *value > '~')
			return false;
	}
	return true;
}
