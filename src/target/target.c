/*
 * target.c
 *		The default target, out of the settings and AWS's usual variables.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "settings/settings.h"
#include "target/aws_settings.h"
#include "target/target.h"

static bool
fail(IotDataFailure *failure, const char *message, const char *detail,
	 const char *hint)
{
	failure->sqlstate = ERRCODE_INVALID_PARAMETER_VALUE;
	failure->message = message;
	failure->detail = detail;
	failure->hint = hint;
	return false;
}

static bool
set_region(IotDataTarget *target, const IotDataFound *region,
		   IotDataFailure *failure)
{
	if (region->value == NULL)
		return fail(failure, "no AWS region is set", NULL,
					"Set iotdata.region, or AWS_REGION in the server's environment.");
	if (!iotdata_region_is_valid(region->value))
		return fail(failure,
					psprintf("the AWS region in %s is not valid", region->origin),
					iotdata_endpoint_explain(IOTDATA_ENDPOINT_BAD_REGION),
					NULL);
	strlcpy(target->region, region->value, sizeof(target->region));
	return true;
}

/* The URL changes seldom, and is asked for with each call. */
static IotDataEndpointStatus
parse_url(IotDataEndpoint *endpoint, const char *url)
{
	static char last_url[IOTDATA_AUTHORITY_SIZE + sizeof("https:///")];
	static IotDataEndpoint last_endpoint;
	IotDataEndpointStatus status;

	if (last_url[0] != '\0' && strcmp(url, last_url) == 0)
	{
		*endpoint = last_endpoint;
		return IOTDATA_ENDPOINT_OK;
	}
	status = iotdata_endpoint_parse(endpoint, url);
	if (status == IOTDATA_ENDPOINT_OK && strlcpy(last_url, url, sizeof(last_url)) < sizeof(last_url))
		last_endpoint = *endpoint;
	else
		last_url[0] = '\0';
	return status;
}

/* An endpoint that is given is meant as it is. */
static bool
set_given_endpoint(IotDataTarget *target, const IotDataAwsSettings *found,
				   IotDataFailure *failure)
{
	const char *url = found->endpoint_url.value;
	const char *origin = found->endpoint_url.origin;
	IotDataEndpointStatus status;

	if (found->use_fips_endpoint || found->use_dualstack_endpoint)
		return fail(failure,
					psprintf("%s cannot be used together with %s", origin,
							 found->use_fips_endpoint ? found->fips_origin :
							 found->dualstack_origin),
					NULL, "Give the URL of the endpoint that is meant.");
	status = parse_url(&target->endpoint, url);
	if (status != IOTDATA_ENDPOINT_OK)
		return fail(failure,
					psprintf("the endpoint's URL in %s is not valid", origin),
					iotdata_endpoint_explain(status), NULL);
	return true;
}

static bool
set_endpoint_by_rule(IotDataTarget *target, const IotDataAwsSettings *found,
					 IotDataFailure *failure)
{
	IotDataEndpointStatus status = iotdata_endpoint_for_region(&target->endpoint,
															   target->region,
															   found->use_fips_endpoint,
															   found->use_dualstack_endpoint);

	if (status != IOTDATA_ENDPOINT_OK)
		return fail(failure,
					psprintf("there is no endpoint for region \"%s\"", target->region),
					iotdata_endpoint_explain(status), NULL);
	return true;
}

bool
iotdata_target_default(IotDataTarget *target, IotDataFailure *failure)
{
	IotDataAwsSettings found;

	if (!iotdata_aws_settings_find(&found, failure) ||
		!set_region(target, &found.region, failure))
		return false;
	target->credentials = (IotDataCredentialsSource)
	{
		/* the setting may change while the target is in use */
		.profile = iotdata_profile[0] != '\0' ? pstrdup(iotdata_profile) : NULL,
			.use_default = iotdata_profile[0] == '\0',
			.use_fips_endpoint = found.use_fips_endpoint,
			.use_dualstack_endpoint = found.use_dualstack_endpoint
	};
	strlcpy(target->credentials.region, target->region, sizeof(target->credentials.region));
	return found.endpoint_url.value != NULL ?
		set_given_endpoint(target, &found, failure) :
		set_endpoint_by_rule(target, &found, failure);
}
