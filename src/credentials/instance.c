/*
 * instance.c
 *		Credentials of the role of an EC2 instance, from its metadata.
 *
 * Version 2 of the instance metadata service only: a token first, with a PUT,
 * that the other requests carry. A machine without the service is no error.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "credentials/document.h"
#include "credentials/fetch.h"
#include "credentials/instance.h"
#include "error/sanitize.h"

#define IPV4 "http://169.254.169.254"
#define IPV6 "http://[fd00:ec2::254]"
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define TIMEOUT 1000			/* milliseconds */

#define MESSAGE "the AWS credentials of the EC2 instance could not be got"

/* Returns NULL, or what is wrong. */
static const char *
find_service(IotDataEndpoint *endpoint)
{
	const char *url = iotdata_credentials_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = iotdata_credentials_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	IotDataEndpointStatus status;

	if (url == NULL && (mode == NULL || pg_strcasecmp(mode, "IPv4") == 0))
		url = IPV4;
	else if (url == NULL && pg_strcasecmp(mode, "IPv6") == 0)
		url = IPV6;
	else if (url == NULL)
		return "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is neither IPv4 nor IPv6.";
	status = iotdata_endpoint_parse_any(endpoint, url);
	return status == IOTDATA_ENDPOINT_OK ? NULL :
		psprintf("AWS_EC2_METADATA_SERVICE_ENDPOINT cannot be used: %s", iotdata_endpoint_explain(status));
}

/* A first line that may go into a header or a path; NULL when it is none. */
static const char *
one_word(const IotDataFetched *fetched)
{
	size_t		length = strcspn(fetched->body, "\r\n");
	char	   *word = pnstrdup(fetched->body, length);

	return iotdata_credentials_is_header_safe(word) ? word : NULL;
}

static const char *
status_of(const IotDataFetched *fetched)
{
	return psprintf("It answered with HTTP status %d.", fetched->http_status);
}

/* The token for the requests that follow. Returns NULL, or why there is none. */
static const char *
get_token(IotDataFetch *fetch, IotDataHeader *header)
{
	static const IotDataHeader lifetime = {"x-aws-ec2-metadata-token-ttl-seconds", "21600"};
	IotDataFetched fetched;
	const char *why;

	fetch->method = "PUT";
	fetch->path_and_query = "/latest/api/token";
	fetch->headers = &lifetime;
	fetch->nheaders = 1;
	why = iotdata_fetch(fetch, &fetched);
	if (why != NULL)
		return why;
	if (fetched.http_status != 200)
		return status_of(&fetched);
	*header = (IotDataHeader) {"x-aws-ec2-metadata-token", one_word(&fetched)};
	if (header->value == NULL)
		return "Its token cannot be used.";
	fetch->method = "GET";
	fetch->headers = header;
	return NULL;
}

static IotDataCredentialsResult
fail(IotDataFailure *failure, const IotDataFetch *fetch, const char *why)
{
	return iotdata_credentials_fail(failure, MESSAGE,
									psprintf("Of http%s://%s%s: %s", fetch->endpoint.https ? "s" : "",
											 fetch->endpoint.authority, fetch->path_and_query, why),
									"Check the instance's role, or set AWS_EC2_METADATA_DISABLED=true if it has none.");
}

/* The credentials of a role, whose name is known. */
static IotDataCredentialsResult
get_credentials(IotDataFetch *fetch, const char *role, IotDataCredentialsValues *values,
				IotDataFailure *failure)
{
	IotDataFetched fetched;
	IotDataJsonValue root;
	IotDataJsonValue code;
	const char *why;

	fetch->path_and_query = psprintf(ROLES "%s", role);
	why = iotdata_fetch(fetch, &fetched);
	if (why == NULL && fetched.http_status != 200)
		why = status_of(&fetched);
	if (why != NULL)
		return fail(failure, fetch, why);
	why = iotdata_credentials_document(fetched.body, fetched.length, "Token", values, &root);
	code = iotdata_json_member(root, "Code");
	if (code.type == IOTDATA_JSON_STRING && strcmp(code.string, "Success") != 0)
		why = psprintf("It says \"%s\".", iotdata_sanitize(code.string, Min(code.length, 100)));
	if (why != NULL)
		return fail(failure, fetch, why);
	values->identity = psprintf("instance/%s", role);
	values->origin = psprintf("role %s", role);
	return IOTDATA_CREDENTIALS_FOUND;
}

static IotDataCredentialsResult
ask(const IotDataEndpoint *endpoint, IotDataCredentialsValues *values, IotDataFailure *failure)
{
	IotDataFetch asked = {.endpoint = *endpoint, .timeout = TIMEOUT, .ca_file = ""};
	IotDataFetch *fetch = &asked;
	IotDataHeader token;
	IotDataFetched fetched;
	const char *role;
	const char *why = get_token(fetch, &token);

	if (why != NULL)
		return iotdata_credentials_none(failure, psprintf("The metadata service at %s gave no token. %s",
														  fetch->endpoint.authority, why));
	fetch->path_and_query = ROLES;
	why = iotdata_fetch(fetch, &fetched);
	if (why != NULL)
		return fail(failure, fetch, why);
	if (fetched.http_status == 404)
		return iotdata_credentials_none(failure, "The instance has no role.");
	if (fetched.http_status != 200)
		return fail(failure, fetch, status_of(&fetched));
	role = one_word(&fetched);
	if (role == NULL || strpbrk(role, "?#%") != NULL)
		return fail(failure, fetch, "It names no role.");
	return get_credentials(fetch, role, values, failure);
}

static IotDataCredentialsResult
get_from_instance(const IotDataCredentialsSource *source, IotDataCredentialsValues *values,
				  IotDataFailure *failure)
{
	const char *disabled = iotdata_credentials_variable("AWS_EC2_METADATA_DISABLED");
	IotDataEndpoint endpoint;
	const char *why;

	if (disabled != NULL && pg_strcasecmp(disabled, "true") == 0)
		return iotdata_credentials_none(failure, "AWS_EC2_METADATA_DISABLED is true.");
	why = find_service(&endpoint);
	if (why != NULL)
		return iotdata_credentials_fail(failure, MESSAGE, why,
										"Correct the environment of the database server and start it again.");
	return ask(&endpoint, values, failure);
}

const IotDataCredentialsProvider iotdata_instance_provider = {
	"instance", get_from_instance
};
