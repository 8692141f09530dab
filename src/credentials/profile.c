/*
 * profile.c
 *		Credentials from a profile of AWS's config and credentials files.
 */
#include "postgres.h"

#include "credentials/container.h"
#include "credentials/environment.h"
#include "credentials/instance.h"
#include "credentials/process.h"
#include "credentials/profile.h"
#include "credentials/profile_failed.h"
#include "credentials/profile_plan.h"

static IotDataCredentialsResult
get_from_source(const IotDataCredentialsSource *source,
				const IotDataProfilePlan *plan,
				IotDataCredentialsValues *values, IotDataFailure *failure)
{
	const IotDataCredentialsProvider *provider = &iotdata_instance_provider;
	IotDataCredentialsResult result;

	if (strcmp(plan->source, "Environment") == 0)
		provider = &iotdata_environment_provider;
	else if (strcmp(plan->source, "EcsContainer") == 0)
		provider = &iotdata_container_provider;
	result = provider->get(source, values, failure);
	if (result != IOTDATA_CREDENTIALS_NONE)
		return result;
	return iotdata_profile_failed(failure, plan->place,
								  psprintf("%s has none. %s", plan->source, failure->detail),
								  NULL);
}

/* What roles are assumed with, or all that there is. */
static IotDataCredentialsResult
get_base(const IotDataCredentialsSource *source, const IotDataProfilePlan *plan,
		 IotDataCredentialsValues *values, IotDataFailure *failure)
{
	switch (plan->base)
	{
		case IOTDATA_PROFILE_KEYS:
			values->access_key_id = plan->access_key_id;
			values->secret_access_key = plan->secret_access_key;
			values->session_token = plan->session_token;
			return IOTDATA_CREDENTIALS_FOUND;
		case IOTDATA_PROFILE_WEB_IDENTITY:
			return iotdata_sts_assume_role_with_web_identity(source, &plan->web_identity_role,
															 plan->token_file, values, failure);
		case IOTDATA_PROFILE_PROCESS:
			return iotdata_process_get(plan->process, plan->place, values, failure);
		case IOTDATA_PROFILE_SOURCE:
			return get_from_source(source, plan, values, failure);
	}
	return iotdata_profile_failed(failure, plan->place, NULL, NULL);
}

/* A profile's role is to be told by the profile, too. */
static IotDataCredentialsResult
fail_role(IotDataFailure *failure, const char *place)
{
	if (failure->detail == NULL)
		failure->detail = psprintf("The role is that of %s.", place);
	else
		failure->detail = psprintf("%s The role is that of %s.", failure->detail, place);
	return IOTDATA_CREDENTIALS_FAILED;
}

static IotDataCredentialsResult
get_from_profile(const IotDataCredentialsSource *source,
				 IotDataCredentialsValues *values, IotDataFailure *failure)
{
	IotDataProfilePlan plan;
	IotDataCredentialsResult result = iotdata_profile_plan(source->profile, &plan, failure);

	if (result != IOTDATA_CREDENTIALS_FOUND)
		return result;
	result = get_base(source, &plan, values, failure);
	if (result != IOTDATA_CREDENTIALS_FOUND && plan.base == IOTDATA_PROFILE_WEB_IDENTITY)
		return fail_role(failure, plan.place);
	for (int i = plan.nroles - 1; result == IOTDATA_CREDENTIALS_FOUND && i >= 0; i--)
	{
		IotDataCredentialsValues signer = *values;

		*values = (IotDataCredentialsValues) {.expire_at = DT_NOEND};
		result = iotdata_sts_assume_role(source, &plan.roles[i], &signer, values, failure);
		if (result != IOTDATA_CREDENTIALS_FOUND)
			return fail_role(failure, plan.role_places[i]);
	}
	values->provider = iotdata_profile_provider.name;
	values->origin = plan.nroles > 0 ? plan.role_places[0] : plan.place;
	return result;
}

const IotDataCredentialsProvider iotdata_profile_provider = {
	"profile", get_from_profile
};
