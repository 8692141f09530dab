/*
 * web_identity.c
 *		Credentials of a role for a token of an identity provider, as EKS has it.
 */
#include "postgres.h"

#include "credentials/sts.h"
#include "credentials/web_identity.h"

static IotDataCredentialsResult
get_by_web_identity(const IotDataCredentialsSource *source, IotDataCredentialsValues *values,
					IotDataFailure *failure)
{
	const char *token_file = iotdata_credentials_variable("AWS_WEB_IDENTITY_TOKEN_FILE");
	IotDataStsRole role = {
		.role_arn = iotdata_credentials_variable("AWS_ROLE_ARN"),
		.role_session_name = iotdata_credentials_variable("AWS_ROLE_SESSION_NAME")
	};

	if (token_file == NULL)
		return iotdata_credentials_none(failure, "AWS_WEB_IDENTITY_TOKEN_FILE is not set.");
	if (role.role_arn == NULL)
		return iotdata_credentials_fail(failure, "the web identity in the server's environment is incomplete",
										"AWS_ROLE_ARN is not set.",
										"Correct the environment of the database server and start it again.");
	return iotdata_sts_assume_role_with_web_identity(source, &role, token_file, values, failure);
}

const IotDataCredentialsProvider iotdata_web_identity_provider = {
	"web identity", get_by_web_identity
};
