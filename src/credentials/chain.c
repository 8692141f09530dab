/*
 * chain.c
 *		The places where credentials are looked for, one after the other.
 *
 * The order is that of AWS's clients. A place that has credentials which cannot
 * be used ends the search: others could be somebody else's.
 */
#include "postgres.h"

#include "credentials/chain.h"
#include "credentials/container.h"
#include "credentials/environment.h"
#include "credentials/instance.h"
#include "credentials/profile.h"
#include "credentials/static_keys.h"
#include "credentials/sts.h"
#include "credentials/web_identity.h"
#include "lib/stringinfo.h"

static const IotDataCredentialsProvider *const chain[] = {
	&iotdata_environment_provider,
	&iotdata_web_identity_provider,
	&iotdata_profile_provider,
	&iotdata_container_provider,
	&iotdata_instance_provider,
};

static IotDataCredentialsResult
ask_chain(const IotDataCredentialsSource *source, IotDataCredentialsValues *values,
		  IotDataFailure *failure)
{
	StringInfoData tried;

	initStringInfo(&tried);
	for (size_t i = 0; i < lengthof(chain); i++)
	{
		IotDataCredentialsResult result;

		*values = (IotDataCredentialsValues) {.provider = chain[i]->name, .expire_at = DT_NOEND};
		result = chain[i]->get(source, values, failure);
		if (result != IOTDATA_CREDENTIALS_NONE)
			return result;
		appendStringInfo(&tried, "%s%s: %s", i > 0 ? " " : "", chain[i]->name, failure->detail);
	}
	iotdata_credentials_fail(failure, "no AWS credentials were found", tried.data,
							 "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the database server, or give it a role.");
	return IOTDATA_CREDENTIALS_NONE;
}

/* A profile that is named is all that is asked. */
static IotDataCredentialsResult
ask_profile(const IotDataCredentialsSource *source, IotDataCredentialsValues *values,
			IotDataFailure *failure)
{
	IotDataCredentialsResult result;

	*values = (IotDataCredentialsValues) {.provider = iotdata_profile_provider.name, .expire_at = DT_NOEND};
	result = iotdata_profile_provider.get(source, values, failure);
	if (result == IOTDATA_CREDENTIALS_NONE)
		iotdata_credentials_fail(failure, "the AWS profile has no credentials", failure->detail, NULL);
	return result;
}

/* Nothing but what the source names: a target may not have the chain's. */
static IotDataCredentialsResult
find_signer(const IotDataCredentialsSource *source, IotDataCredentialsValues *values,
			IotDataFailure *failure)
{
	if (source->profile != NULL)
		return ask_profile(source, values, failure);
	if (source->use_default)
		return ask_chain(source, values, failure);
	*values = (IotDataCredentialsValues)
	{
		.provider = iotdata_static_keys_provider.name,
			.expire_at = DT_NOEND
	};
	if (source->access_key_id != NULL)
		return iotdata_static_keys_provider.get(source, values, failure);
	iotdata_credentials_fail(failure, "no AWS credentials were found",
							 "The user mapping has none.",
							 "Use ALTER USER MAPPING to set access_key_id and secret_access_key.");
	return IOTDATA_CREDENTIALS_NONE;
}

IotDataStsExchange *
iotdata_credentials_begin(const IotDataCredentialsSource *source,
						  IotDataCredentialsResult *result, IotDataFailure *failure)
{
	IotDataStsRole role = {source->role_arn, source->external_id, source->role_session_name, 0};
	IotDataCredentialsValues signer;

	*result = find_signer(source, &signer, failure);
	return *result == IOTDATA_CREDENTIALS_FOUND ?
		iotdata_sts_begin_assume_role(source, &role, &signer) : NULL;
}

IotDataCredentialsResult
iotdata_credentials_end(IotDataStsExchange *exchange, IotDataCredentialsValues *values,
						IotDataFailure *failure)
{
	*values = (IotDataCredentialsValues) {.provider = "role", .expire_at = DT_NOEND};
	return iotdata_sts_end(exchange, values, failure);
}

IotDataCredentialsResult
iotdata_credentials_find(const IotDataCredentialsSource *source,
						 IotDataCredentialsValues *values, IotDataFailure *failure)
{
	IotDataCredentialsResult result;
	IotDataStsExchange *exchange;

	if (source->role_arn == NULL)
		return find_signer(source, values, failure);
	exchange = iotdata_credentials_begin(source, &result, failure);
	return exchange != NULL ? iotdata_credentials_end(exchange, values, failure) : result;
}
