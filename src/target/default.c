/*
 * default.c
 *		The default target, out of the settings and AWS's usual variables.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "settings/settings.h"
#include "target/aws_settings.h"
#include "target/default.h"

static bool
fail(IotDataFailure *failure, const char *message, const char *detail,
	 const char *hint)
{
	return iotdata_fail(failure, ERRCODE_INVALID_PARAMETER_VALUE, message, detail, hint);
}

bool
iotdata_target_set_region(IotDataTarget *target, const char *region,
						  const char *source, IotDataFailure *failure)
{
	if (region == NULL)
		return fail(failure, "no AWS region is set", NULL, target->server[0] == '\0' ?
					"Set iotdata.region, or AWS_REGION in the server's environment." :
					psprintf("Set the option region of server \"%s\".", target->server));
	if (!iotdata_region_is_valid(region))
		return fail(failure,
					psprintf("the AWS region in %s is not valid", source),
					iotdata_endpoint_explain(IOTDATA_ENDPOINT_BAD_REGION),
					NULL);
	strlcpy(target->region, region, sizeof(target->region));
	target->region_source = source;
	strlcpy(target->credentials.region, region, sizeof(target->credentials.region));
	return true;
}

bool
iotdata_target_set_endpoint_by_rule(IotDataTarget *target, IotDataFailure *failure)
{
	IotDataEndpointStatus status = iotdata_endpoint_for_region(&target->endpoint, target->region,
															   target->credentials.use_fips_endpoint,
															   target->credentials.use_dualstack_endpoint);

	target->endpoint_source = "region";
	if (status == IOTDATA_ENDPOINT_OK)
		return true;
	return fail(failure,
				psprintf("there is no endpoint for region \"%s\"", target->region),
				iotdata_endpoint_explain(status), NULL);
}

/* The URL of the settings changes seldom, and is asked for with each call. */
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

bool
iotdata_target_set_endpoint(IotDataTarget *target, const char *url,
							const char *source, IotDataFailure *failure)
{
	IotDataEndpointStatus status = parse_url(&target->endpoint, url);

	target->endpoint_source = source;
	if (status == IOTDATA_ENDPOINT_OK)
		return true;
	return fail(failure,
				psprintf("the endpoint's URL in %s is not valid", source),
				iotdata_endpoint_explain(status), NULL);
}

/* An endpoint that is given is meant as it is. */
static bool
set_given_endpoint(IotDataTarget *target, const IotDataAwsSettings *found,
				   IotDataFailure *failure)
{
	const char *origin = found->endpoint_url.origin;

	if (found->use_fips_endpoint || found->use_dualstack_endpoint)
		return fail(failure,
					psprintf("%s cannot be used together with %s", origin,
							 found->use_fips_endpoint ? found->fips_origin :
							 found->dualstack_origin),
					NULL, "Give the URL of the endpoint that is meant.");
	return iotdata_target_set_endpoint(target, found->endpoint_url.value, origin, failure);
}

bool
iotdata_target_default(IotDataTarget *target, IotDataFailure *failure)
{
	IotDataAwsSettings found;

	memset(target, 0, sizeof(*target));
	if (!iotdata_aws_settings_find(&found, failure) ||
		!iotdata_target_set_region(target, found.region.value, found.region.origin, failure))
		return false;
	target->ca_file = iotdata_ca_file;
	target->read_rate = -1;
	target->send_rate = -1;
	target->credentials.use_default = iotdata_profile[0] == '\0';
	target->credentials.profile = iotdata_profile[0] != '\0' ? iotdata_profile : NULL;
	target->credentials.use_fips_endpoint = found.use_fips_endpoint;
	target->credentials.use_dualstack_endpoint = found.use_dualstack_endpoint;
	target->credentials.ca_file = iotdata_ca_file;
	if (found.endpoint_url.value != NULL)
		return set_given_endpoint(target, &found, failure);
	return iotdata_target_set_endpoint_by_rule(target, failure);
}
