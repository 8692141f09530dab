/*
 * container.c
 *		Credentials that a container is given: ECS, and EKS Pod Identity.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "credentials/container.h"
#include "credentials/document.h"
#include "credentials/fetch.h"
#include "credentials/secret.h"
#include "error/sanitize.h"

#define ECS "http://169.254.170.2"
#define TIMEOUT 2000			/* milliseconds, of an attempt */
#define ATTEMPTS 3
#define MAX_TOKEN (64 * 1024)

#define MESSAGE "the AWS credentials of the container could not be got"
#define HINT "Check the AWS_CONTAINER_ variables in the environment of the database server, and what they name."

/* Where http is safe: this machine, and what the platforms put beside it. */
static bool
is_allowed(const IotDataEndpoint *endpoint)
{
	static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};

	if (endpoint->https || endpoint->loopback)
		return true;
	for (size_t i = 0; i < lengthof(hosts); i++)
	{
		if (pg_strcasecmp(endpoint->host, hosts[i]) == 0)
			return true;
	}
	return false;
}

/* Take a URL apart. Returns NULL, or what is wrong with it. */
static const char *
take_url(IotDataFetch *fetch, const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
	char	   *origin = path != NULL ? pnstrdup(url, path - url) : pstrdup(url);
	IotDataEndpointStatus status = iotdata_endpoint_parse_any(&fetch->endpoint, origin);

	if (status != IOTDATA_ENDPOINT_OK)
		return iotdata_endpoint_explain(status);
	if (!is_allowed(&fetch->endpoint))
		return "http is possible for loopback hosts and the platforms' own addresses only.";
	fetch->path_and_query = path != NULL ? path : "/";
	return NULL;
}

/* Returns NULL, or what is wrong. "header" is filled if there is a token. */
static const char *
find_token(IotDataFetch *fetch, IotDataHeader *header)
{
	const char *file = iotdata_credentials_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = iotdata_credentials_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	const char *why = NULL;

	if (file != NULL)
		token = iotdata_secret_read_file(file, MAX_TOKEN, &why);
	if (why != NULL)
		return psprintf("The file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be used: %s", why);
	if (token == NULL)
		return NULL;
	for (const char *c = token; *c != '\0'; c++)
	{
		if ((unsigned char) *c < ' ' || (unsigned char) *c > '~')
			return "The authorization token contains a line break, or something else that is not printable ASCII.";
	}
	*header = (IotDataHeader) {"authorization", token};
	fetch->headers = header;
	fetch->nheaders = 1;
	return NULL;
}

/* Ask, some times if need be. Returns NULL, or why there is no answer. */
static const char *
ask(const IotDataFetch *fetch, IotDataFetched *fetched)
{
	const char *why = NULL;

	for (int i = 0; i < ATTEMPTS; i++)
	{
		why = iotdata_fetch(fetch, fetched);
		if (why == NULL && fetched->http_status < 500)
			break;
	}
	if (why == NULL && fetched->http_status != 200)
		why = psprintf("It answered with HTTP status %d.", fetched->http_status);
	return why;
}

static IotDataCredentialsResult
get_from_url(const char *name, const char *url, IotDataCredentialsValues *values,
			 IotDataFailure *failure)
{
	IotDataFetch fetch = {.method = "GET", .timeout = TIMEOUT, .ca_file = ""};
	IotDataHeader header;
	IotDataFetched fetched;
	IotDataJsonValue root;
	IotDataJsonValue role;
	const char *shown = iotdata_sanitize(url, strcspn(url, "?"));
	const char *why = take_url(&fetch, url);

	if (why != NULL)
		return iotdata_credentials_fail(failure, MESSAGE, psprintf("The URL of %s cannot be used: %s", name, why), HINT);
	why = find_token(&fetch, &header);
	if (why != NULL)
		return iotdata_credentials_fail(failure, MESSAGE, why, HINT);
	why = ask(&fetch, &fetched);
	if (why == NULL)
		why = iotdata_credentials_document(fetched.body, fetched.length, "Token", values, &root);
	if (why != NULL)
		return iotdata_credentials_fail(failure, MESSAGE, psprintf("Of %s: %s", shown, why), HINT);
	role = iotdata_json_member(root, "RoleArn");
	if (role.type == IOTDATA_JSON_STRING)
		values->identity = psprintf("container/%s", role.string);
	values->origin = shown;
	return IOTDATA_CREDENTIALS_FOUND;
}

static IotDataCredentialsResult
get_from_container(const IotDataCredentialsSource *source, IotDataCredentialsValues *values,
				   IotDataFailure *failure)
{
	const char *relative = iotdata_credentials_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = iotdata_credentials_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (relative != NULL)
		return get_from_url("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
							psprintf(ECS "%s%s", relative[0] == '/' ? "" : "/", relative), values, failure);
	if (full != NULL)
		return get_from_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", full, values, failure);
	return iotdata_credentials_none(failure, "Neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set.");
}

const IotDataCredentialsProvider iotdata_container_provider = {
	"container", get_from_container
};
