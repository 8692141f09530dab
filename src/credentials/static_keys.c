/*
 * static_keys.c
 *		Keys that the source itself has.
 */
#include "postgres.h"

#include "credentials/static_keys.h"

static bool
is_valid(const char *value)
{
	return value != NULL && iotdata_credentials_is_header_safe(value);
}

static IotDataCredentialsResult
get_static_keys(const IotDataCredentialsSource *source, IotDataCredentialsValues *values,
				IotDataFailure *failure)
{
	if (source->access_key_id == NULL)
		return iotdata_credentials_none(failure, "access_key_id is not set.");
	if (!is_valid(source->access_key_id) || !is_valid(source->secret_access_key) ||
		(source->session_token != NULL && !is_valid(source->session_token)))
		return iotdata_credentials_fail(failure, "the AWS credentials in the user mapping are not valid",
										"access_key_id, secret_access_key and session_token must be printable ASCII characters without blanks.",
										"Use ALTER USER MAPPING to correct them.");
	values->access_key_id = source->access_key_id;
	values->secret_access_key = source->secret_access_key;
	values->session_token = source->session_token;
	values->is_permanent = true;
	return IOTDATA_CREDENTIALS_FOUND;
}

const IotDataCredentialsProvider iotdata_static_keys_provider = {
	"user mapping", get_static_keys
};
