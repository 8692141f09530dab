/*
 * target.c
 *		The default target, out of the settings and AWS's usual variables.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "settings/settings.h"
#include "target/target.h"

/*
 * The region, and the name of what it came from: AWS's clients look at the
 * same variables in the same order.
 */
static const char *
find_region(const char **source)
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

static bool
set_region(IotDataTarget *target, IotDataFailure *failure)
{
	const char *source;
	const char *region = find_region(&source);

	if (region == NULL)
		return fail(failure, "no AWS region is set", NULL,
					"Set iotdata.region, or AWS_REGION in the server's environment.");
	if (!iotdata_region_is_valid(region))
		return fail(failure,
					psprintf("the AWS region in %s is not valid", source),
					iotdata_endpoint_explain(IOTDATA_ENDPOINT_BAD_REGION),
					NULL);
	strlcpy(target->region, region, sizeof(target->region));
	return true;
}

/* The setting changes seldom, and is asked for with each call. */
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
iotdata_target_default(IotDataTarget *target, IotDataFailure *failure)
{
	IotDataEndpointStatus status;

	if (!set_region(target, failure))
		return false;
	target->credentials = (IotDataCredentialsSource)
	{
		.use_default = true,
			.use_fips_endpoint = iotdata_use_fips_endpoint,
			.use_dualstack_endpoint = iotdata_use_dualstack_endpoint
	};
	strlcpy(target->credentials.region, target->region, sizeof(target->credentials.region));
	if (iotdata_endpoint_url[0] == '\0')
		status = iotdata_endpoint_for_region(&target->endpoint, target->region,
											 iotdata_use_fips_endpoint,
											 iotdata_use_dualstack_endpoint);
	else if (iotdata_use_fips_endpoint || iotdata_use_dualstack_endpoint)
		return fail(failure,
					"iotdata.endpoint_url cannot be used together with iotdata.use_fips_endpoint or iotdata.use_dualstack_endpoint",
					NULL, "Give the URL of the endpoint that is meant.");
	else
		status = parse_url(&target->endpoint, iotdata_endpoint_url);
	if (status != IOTDATA_ENDPOINT_OK)
		return fail(failure,
					psprintf("there is no endpoint for region \"%s\"",
							 target->region),
					iotdata_endpoint_explain(status), NULL);
	return true;
}
