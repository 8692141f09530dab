/*
 * default.c
 *		The default target, out of the settings and AWS's usual variables.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "settings/settings.h"
#include "target/default.h"

/* AWS's clients look at the same variables in the same order. */
const char *
iotdata_target_default_region(const char **source)
{
	static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};

	if (iotdata_region[0] != '\0')
	{
		*source = "iotdata.region";
		return iotdata_region;
	}
	for (size_t i = 0; i < lengthof(variables); i++)
	{
		const char *value = getenv(variables[i]);

		if (value != NULL && value[0] != '\0')
		{
			*source = variables[i];
			return value;
		}
	}
	return NULL;
}

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
	target->credentials.region = region;
	return true;
}

static bool
check(const IotDataTarget *target, IotDataEndpointStatus status, IotDataFailure *failure)
{
	if (status == IOTDATA_ENDPOINT_OK)
		return true;
	return fail(failure,
				psprintf("there is no endpoint for region \"%s\"", target->region),
				iotdata_endpoint_explain(status), NULL);
}

bool
iotdata_target_set_endpoint_by_rule(IotDataTarget *target, IotDataFailure *failure)
{
	target->endpoint_source = "region";
	return check(target, iotdata_endpoint_for_region(&target->endpoint, target->region,
													 target->credentials.use_fips_endpoint,
													 target->credentials.use_dualstack_endpoint),
				 failure);
}

bool
iotdata_target_set_endpoint(IotDataTarget *target, const char *url,
							const char *source, IotDataFailure *failure)
{
	target->endpoint_source = source;
	return check(target, iotdata_endpoint_parse(&target->endpoint, url), failure);
}

/* The setting changes seldom, and is asked for with each call. */
static bool
set_endpoint_of_setting(IotDataTarget *target, IotDataFailure *failure)
{
	static char last_url[IOTDATA_AUTHORITY_SIZE + sizeof("https:///")];
	static IotDataEndpoint last_endpoint;

	if (last_url[0] == '\0' || strcmp(iotdata_endpoint_url, last_url) != 0)
	{
		last_url[0] = '\0';
		if (!iotdata_target_set_endpoint(target, iotdata_endpoint_url, "iotdata.endpoint_url", failure))
			return false;
		last_endpoint = target->endpoint;
		if (strlcpy(last_url, iotdata_endpoint_url, sizeof(last_url)) >= sizeof(last_url))
			last_url[0] = '\0';
		return true;
	}
	target->endpoint = last_endpoint;
	target->endpoint_source = "iotdata.endpoint_url";
	return true;
}

bool
iotdata_target_default(IotDataTarget *target, IotDataFailure *failure)
{
	const char *source = NULL;
	const char *region = iotdata_target_default_region(&source);

	memset(target, 0, sizeof(*target));
	if (!iotdata_target_set_region(target, region, source, failure))
		return false;
	target->ca_file = iotdata_ca_file;
	target->read_rate = -1;
	target->send_rate = -1;
	target->credentials.use_default = true;
	target->credentials.use_fips_endpoint = iotdata_use_fips_endpoint;
	target->credentials.use_dualstack_endpoint = iotdata_use_dualstack_endpoint;
	target->credentials.ca_file = iotdata_ca_file;
	if (iotdata_endpoint_url[0] == '\0')
		return iotdata_target_set_endpoint_by_rule(target, failure);
	if (iotdata_use_fips_endpoint || iotdata_use_dualstack_endpoint)
		return fail(failure,
					"iotdata.endpoint_url cannot be used together with iotdata.use_fips_endpoint or iotdata.use_dualstack_endpoint",
					NULL, "Give the URL of the endpoint that is meant.");
	return set_endpoint_of_setting(target, failure);
}
