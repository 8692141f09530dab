/*
 * discover_endpoint.c
 *		The SQL function that asks for the account's own endpoint.
 *
 * That is an operation of AWS IoT's control plane (DescribeEndpoint), at an
 * endpoint of its own, signed for a service of its own, without a quota that
 * matters: the answer never changes.
 */
#include "postgres.h"

#include "answer/document.h"
#include "call/clock.h"
#include "credentials/credentials.h"
#include "credentials/fetch.h"
#include "credentials/sign.h"
#include "error/raise.h"
#include "error/sanitize.h"
#include "fmgr.h"
#include "settings/settings.h"
#include "target/find.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(iotdata_discover_endpoint);

#define OPERATION "DescribeEndpoint"
#define PATH "/endpoint"
#define QUERY "endpointType=iot%3AData-ATS"

/* bytes of the service's own words that a message shows */
#define SHOWN 500

static void
fail(int sqlstate, const char *message, const char *detail, const char *hint)
{
	IotDataFailure failure = {sqlstate, message, detail, hint};

	iotdata_raise(&failure);
}

/* The control plane that the target's account is asked at. */
static void
find_control_plane(IotDataEndpoint *endpoint, const IotDataTarget *target)
{
	const char *url = iotdata_credentials_variable("AWS_ENDPOINT_URL_IOT");
	IotDataEndpointStatus status = url != NULL ?
		iotdata_endpoint_parse(endpoint, url) :
		iotdata_endpoint_for_control_plane(endpoint, target->region,
									   target->credentials.use_fips_endpoint,
									   target->credentials.use_dualstack_endpoint);

	if (status != IOTDATA_ENDPOINT_OK)
		fail(ERRCODE_INVALID_PARAMETER_VALUE,
			 url != NULL ? "the endpoint in AWS_ENDPOINT_URL_IOT cannot be used" :
			 psprintf("there is no endpoint for region \"%s\"", target->region),
			 iotdata_endpoint_explain(status), NULL);
}

static void
sign(IotDataSignedRequest *signed_request, const IotDataFetch *fetch, const IotDataTarget *target)
{
	IotDataSignRequest request = {
		.service = "iot",
		.region = target->region,
		.authority = fetch->endpoint.authority,
		.method = fetch->method,
		.path = PATH,
		.query = QUERY
	};
	const IotDataCredentials *credentials;
	IotDataFailure failure;

	if (iotdata_credentials_get(&target->credentials, CurrentMemoryContext, &credentials,
								&failure) != IOTDATA_CREDENTIALS_FOUND)
		iotdata_raise(&failure);
	if (!iotdata_sign(signed_request, &request, &credentials->values, iotdata_clock_now()))
		iotdata_raise_resources("the request could not be signed");
}

/* The answer's member, fit for a message; "" when it is no string. */
static char *
shown_member(IotDataJsonValue root, const char *name)
{
	IotDataJsonValue member = iotdata_json_member(root, name);
	char	   *shown;

	if (member.type != IOTDATA_JSON_STRING)
		return pstrdup("");
	shown = iotdata_sanitize(member.string, member.length);
	iotdata_truncate(shown, SHOWN);
	return shown;
}

/* The address, as a URL for iotdata.endpoint_url. */
static char *
read_answer(const IotDataFetched *fetched)
{
	const char *why = NULL;
	IotDataJsonValue root = iotdata_document_parse(fetched->body, fetched->length, &why);
	IotDataEndpoint endpoint;
	char	   *url;

	if (fetched->http_status != 200)
		fail(fetched->http_status == 403 ? MAKE_SQLSTATE('I', 'O', '4', '0', '3') :
			 MAKE_SQLSTATE('I', 'O', '0', '0', '0'),
			 psprintf("AWS IoT answered with HTTP status %d", fetched->http_status),
			 shown_member(root, "message"),
			 "Check that the credentials' policy allows iot:DescribeEndpoint.");
	url = psprintf("https://%s", shown_member(root, "endpointAddress"));
	if (iotdata_endpoint_parse(&endpoint, url) != IOTDATA_ENDPOINT_OK)
		fail(IOTDATA_ERRCODE_PROTOCOL_VIOLATION, "AWS IoT's answer names no endpoint", NULL, NULL);
	return url;
}

static char *
discover(const char *server)
{
	const IotDataTarget *target;
	IotDataFailure failure;
	IotDataSignedRequest signed_request = {0};
	IotDataFetched fetched;
	IotDataFetch fetch = {
		.method = "GET",
		.path_and_query = PATH "?" QUERY,
		.timeout = iotdata_request_timeout
	};
	const char *why;

	target = iotdata_target_find(server, CurrentMemoryContext, &failure);
	if (target == NULL)
		iotdata_raise(&failure);
	fetch.ca_file = target->ca_file;
	find_control_plane(&fetch.endpoint, target);
	sign(&signed_request, &fetch, target);
	/* without Host, which is sent in any case */
	fetch.headers = signed_request.headers + 1;
	fetch.nheaders = signed_request.nheaders - 1;
	why = iotdata_fetch(&fetch, &fetched);
	if (why != NULL)
		fail(fetched.unreachable ? IOTDATA_ERRCODE_UNREACHABLE : IOTDATA_ERRCODE_CONNECTION_LOST,
			 psprintf("could not ask %s for the account's endpoint", fetch.endpoint.authority), why, NULL);
	return read_answer(&fetched);
}

Datum
iotdata_discover_endpoint(PG_FUNCTION_ARGS)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "iotdata discover endpoint",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	IotDataErrorContext errors;
	char	   *url;
	text	   *result;

	iotdata_error_context_push(&errors, OPERATION);
	url = discover(PG_NARGS() > 0 && !PG_ARGISNULL(0) ? NameStr(*PG_GETARG_NAME(0)) : NULL);
	iotdata_error_context_pop(&errors);
	MemoryContextSwitchTo(caller);
	result = cstring_to_text(url);
	MemoryContextDelete(work);
	PG_RETURN_TEXT_P(result);
}
