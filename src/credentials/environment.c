/*
 * environment.c
 *		Credentials from the environment variables of the server process.
 */
#include "postgres.h"

#include "credentials/environment.h"

/* An empty variable is as good as none, as AWS's clients have it. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static IotDataCredentialsResult
fail(IotDataFailure *failure, const char *message, const char *detail)
{
	failure->sqlstate = ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
	failure->message = message;
	failure->detail = detail;
	failure->hint = "Correct the environment of the database server and start it again.";
	return IOTDATA_CREDENTIALS_FAILED;
}

static IotDataCredentialsResult
get_from_environment(const IotDataCredentialsSource *source,
					 IotDataCredentialsValues *values, IotDataFailure *failure)
{
	static const char *const names[] = {
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
	};
	const char *found[lengthof(names)];

	for (size_t i = 0; i < lengthof(names); i++)
		found[i] = variable(names[i]);
	if (found[0] == NULL && found[1] == NULL)
		return IOTDATA_CREDENTIALS_NONE;
	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (i < 2 && found[i] == NULL)
			return fail(failure, "the AWS credentials in the server's environment are incomplete",
						psprintf("%s is not set.", names[i]));
		if (found[i] != NULL && !iotdata_credentials_is_header_safe(found[i]))
			return fail(failure, "the AWS credentials in the server's environment are not valid",
						psprintf("%s contains something other than printable ASCII characters.",
								 names[i]));
	}
	values->access_key_id = found[0];
	values->secret_access_key = found[1];
	values->session_token = found[2];
	return IOTDATA_CREDENTIALS_FOUND;
}

const IotDataCredentialsProvider iotdata_environment_provider = {
	"environment", get_from_environment
};
