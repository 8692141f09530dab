/*
 * environment.c
 *		Credentials from the environment variables of the server process.
 */
#include "postgres.h"

#include "credentials/environment.h"

static IotDataCredentialsResult
fail(IotDataFailure *failure, const char *message, const char *detail)
{
	return iotdata_credentials_fail(failure, message, detail,
									"Correct the environment of the database server and start it again.");
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
		found[i] = iotdata_credentials_variable(names[i]);
	if (found[0] == NULL && found[1] == NULL)
		return iotdata_credentials_none(failure, "AWS_ACCESS_KEY_ID is not set.");
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
	values->is_permanent = true;
	return IOTDATA_CREDENTIALS_FOUND;
}

const IotDataCredentialsProvider iotdata_environment_provider = {
	"environment", get_from_environment
};
