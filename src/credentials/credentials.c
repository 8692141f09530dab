/*
 * credentials.c
 *		The chain of places where credentials are looked for.
 */
#include "postgres.h"

#include "credentials/credentials.h"
#include "credentials/environment.h"

static const IotDataCredentialsProvider *const chain[] = {
	&iotdata_environment_provider,
};

IotDataCredentialsResult
iotdata_credentials_get(const IotDataCredentialsSource *source,
						MemoryContext holder,
						const IotDataCredentials **credentials,
						IotDataFailure *failure)
{
	for (size_t i = 0; i < lengthof(chain); i++)
	{
		IotDataCredentialsValues values = {
			.provider = chain[i]->name,
			.expire_at = DT_NOEND
		};

		IotDataCredentialsResult result = chain[i]->get(source, &values, failure);

		if (result == IOTDATA_CREDENTIALS_FOUND)
			*credentials = iotdata_credentials_create(&values, holder);
		if (result != IOTDATA_CREDENTIALS_NONE)
			return result;
	}
	failure->sqlstate = ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
	failure->message = "no AWS credentials were found";
	failure->detail = NULL;
	failure->hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the database server.";
	return IOTDATA_CREDENTIALS_NONE;
}
