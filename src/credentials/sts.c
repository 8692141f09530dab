/*
 * sts.c
 *		AWS's Security Token Service: temporary credentials of a role.
 *
 * A request is a POST to the region's endpoint, with the action and its
 * parameters as a form (the query protocol); the answer is XML.
 */
#include "postgres.h"

#include "aws/endpoint.h"
#include "aws/uri.h"
#include "credentials/document.h"
#include "credentials/fetch.h"
#include "credentials/secret.h"
#include "credentials/sign.h"
#include "credentials/sts.h"
#include "credentials/sts_answer.h"
#include "error/sanitize.h"
#include "settings/settings.h"

#include <time.h>

#define VERSION "2011-06-15"
#define TIMEOUT 10000			/* milliseconds */
#define MAX_TOKEN (64 * 1024)
#define DEFAULT_SESSION_NAME "iotdata"

struct IotDataStsExchange
{
	const char *role_arn;
	const char *why;			/* it could not begin; NULL: it has */
	IotDataTransfer *transfer;
};

/* bytes of STS's own words that a message shows */
#define SHOWN 500

/* ---- the form that a request sends ---- */

static void
begin_form(IotDataBuffer *form, size_t size, const char *action)
{
	iotdata_buffer_init(form, iotdata_secret_alloc(size), size);
	iotdata_buffer_append_string(form, "Action=");
	iotdata_buffer_append_string(form, action);
	iotdata_buffer_append_string(form, "&Version=" VERSION);
}

static void
add_field(IotDataBuffer *form, const char *name, const char *value)
{
	if (value == NULL)
		return;
	iotdata_buffer_append_string(form, "&");
	iotdata_buffer_append_string(form, name);
	iotdata_buffer_append_string(form, "=");
	iotdata_uri_encode(form, value, strlen(value));
}

static size_t
form_size(const IotDataStsRole *role, const char *token)
{
	size_t		size = 512 + 3 * strlen(role->role_arn) + 3 * strlen(token);

	if (role->external_id != NULL)
		size += 3 * strlen(role->external_id);
	if (role->role_session_name != NULL)
		size += 3 * strlen(role->role_session_name);
	return size;
}

static void
add_role(IotDataBuffer *form, const IotDataStsRole *role)
{
	char		duration[16];

	add_field(form, "RoleArn", role->role_arn);
	add_field(form, "RoleSessionName",
			  role->role_session_name != NULL ? role->role_session_name : DEFAULT_SESSION_NAME);
	add_field(form, "ExternalId", role->external_id);
	snprintf(duration, sizeof(duration), "%d", role->duration_seconds);
	add_field(form, "DurationSeconds", role->duration_seconds > 0 ? duration : NULL);
}

/* ---- where it goes ---- */

static IotDataCredentialsResult
fail(IotDataFailure *failure, const char *role_arn, const char *detail)
{
	return iotdata_credentials_fail(failure,
									psprintf("the AWS role \"%s\" could not be assumed",
											 iotdata_sanitize(role_arn, strlen(role_arn))),
									detail, NULL);
}

/* A variable that gives STS's URL, if the environment's URLs are to count. */
static const char *
configured_url(const char **name)
{
	static const char *const names[] = {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"};
	const char *ignored = iotdata_credentials_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

	if (ignored != NULL && pg_strcasecmp(ignored, "true") == 0)
		return NULL;
	for (size_t i = 0; i < lengthof(names); i++)
	{
		const char *url = iotdata_credentials_variable(names[i]);

		*name = names[i];
		if (url != NULL)
			return url;
	}
	return NULL;
}

/* Returns NULL, or what is wrong. */
static const char *
find_endpoint(IotDataEndpoint *endpoint, const IotDataCredentialsSource *source)
{
	const char *name = "the region";
	const char *url = configured_url(&name);
	IotDataEndpointStatus status = url != NULL ?
		iotdata_endpoint_parse(endpoint, url) :
		iotdata_endpoint_for_sts(endpoint, source->region, source->use_fips_endpoint,
							 source->use_dualstack_endpoint);

	if (status == IOTDATA_ENDPOINT_OK)
		return NULL;
	return psprintf("The endpoint of STS by %s cannot be used: %s", url != NULL ? name : "the region",
					iotdata_endpoint_explain(status));
}

/* ---- the exchange ---- */

/* Returns NULL, or why not. */
static const char *
sign(IotDataSignedRequest *signed_request, const IotDataFetch *fetch,
	 const IotDataCredentialsSource *source, const IotDataCredentialsValues *signer)
{
	IotDataSignRequest request = {
		.service = "sts",
		.region = source->region,
		.authority = fetch->endpoint.authority,
		.method = fetch->method,
		.path = fetch->path_and_query,
		.query = "",
		.headers = fetch->headers,
		.nheaders = fetch->nheaders,
		.body = fetch->body,
		.body_length = strlen(fetch->body)
	};

	return iotdata_sign(signed_request, &request, signer, time(NULL)) ? NULL :
		"The request could not be signed.";
}

/* What STS says of an error, in its words. */
static const char *
explain(const IotDataFetched *fetched, const IotDataStsAnswer *answer)
{
	char	   *message;

	if (answer->error_code == NULL)
		return psprintf("STS answered with HTTP status %d.", fetched->http_status);
	message = iotdata_sanitize(answer->error_message != NULL ? answer->error_message : "",
							   answer->error_message != NULL ? strlen(answer->error_message) : 0);
	iotdata_truncate(message, SHOWN);
	return psprintf("STS answered %s: %s", iotdata_sanitize(answer->error_code, Min(strlen(answer->error_code), 100)),
					message);
}

/* Returns NULL, or what is wrong with the answer. */
static const char *
take_values(const IotDataFetched *fetched, IotDataCredentialsValues *values)
{
	IotDataStsAnswer answer;
	const char *why = iotdata_sts_answer_read(fetched->body, fetched->length, &answer);

	if (fetched->http_status != 200)
		return explain(fetched, &answer);
	if (why != NULL)
		return why;
	values->access_key_id = answer.access_key_id;
	values->secret_access_key = answer.secret_access_key;
	values->session_token = answer.session_token;
	values->identity = answer.assumed_role_arn;
	if (answer.expiration == NULL)
		return "STS's answer has no expiration.";
	why = iotdata_credentials_check(values, answer.expiration);
	return why != NULL ? psprintf("STS's answer cannot be used. %s", why) : NULL;
}

/* Send a form; "signer" NULL: it needs no signature. */
static IotDataStsExchange *
begin(const IotDataCredentialsSource *source, const IotDataStsRole *role,
	  const IotDataBuffer *form, const IotDataCredentialsValues *signer)
{
	IotDataStsExchange *exchange = palloc0(sizeof(*exchange));
	static const IotDataHeader type = {"content-type", "application/x-www-form-urlencoded; charset=utf-8"};
	IotDataSignedRequest signed_request = {0};
	IotDataFetch fetch = {
		.method = "POST",
		.path_and_query = "/",
		.headers = &type,
		.nheaders = 1,
		.body = form->data,
		.timeout = TIMEOUT,
		.ca_file = source->ca_file != NULL ? source->ca_file : iotdata_ca_file
	};
	const char *why = find_endpoint(&fetch.endpoint, source);

	if (why == NULL && form->overflowed)
		why = "The request is too long.";
	if (why == NULL && signer != NULL)
	{
		why = sign(&signed_request, &fetch, source, signer);
		/* without Host, which is sent in any case */
		fetch.headers = signed_request.headers + 1;
		fetch.nheaders = signed_request.nheaders - 1;
	}
	exchange->role_arn = role->role_arn;
	exchange->why = why;
	if (why == NULL)
		exchange->transfer = iotdata_fetch_begin(&fetch);
	return exchange;
}

bool
iotdata_sts_is_running(const IotDataStsExchange *exchange)
{
	return exchange->transfer != NULL &&
		iotdata_transfer_status(exchange->transfer) == IOTDATA_TRANSFER_RUNNING;
}

IotDataCredentialsResult
iotdata_sts_end(IotDataStsExchange *exchange, IotDataCredentialsValues *values,
				IotDataFailure *failure)
{
	IotDataFetched fetched;
	const char *why = exchange->why;

	if (why == NULL)
		why = iotdata_fetch_end(exchange->transfer, &fetched);
	if (why != NULL)
		return fail(failure, exchange->role_arn,
					psprintf("STS was not reached or did not answer. %s", why));
	why = take_values(&fetched, values);
	if (why != NULL)
		return fail(failure, exchange->role_arn, why);
	values->origin = exchange->role_arn;
	return IOTDATA_CREDENTIALS_FOUND;
}

/* ---- the two actions ---- */

IotDataStsExchange *
iotdata_sts_begin_assume_role(const IotDataCredentialsSource *source, const IotDataStsRole *role,
							  const IotDataCredentialsValues *signer)
{
	IotDataBuffer form;

	begin_form(&form, form_size(role, ""), "AssumeRole");
	add_role(&form, role);
	return begin(source, role, &form, signer);
}

IotDataCredentialsResult
iotdata_sts_assume_role(const IotDataCredentialsSource *source, const IotDataStsRole *role,
						const IotDataCredentialsValues *signer,
						IotDataCredentialsValues *values, IotDataFailure *failure)
{
	return iotdata_sts_end(iotdata_sts_begin_assume_role(source, role, signer), values, failure);
}

IotDataCredentialsResult
iotdata_sts_assume_role_with_web_identity(const IotDataCredentialsSource *source,
										  const IotDataStsRole *role, const char *token_file,
										  IotDataCredentialsValues *values,
										  IotDataFailure *failure)
{
	const char *why;
	const char *token = iotdata_secret_read_file(token_file, MAX_TOKEN, &why);
	IotDataBuffer form;

	if (token == NULL)
		return fail(failure, role->role_arn, psprintf("The file of its web identity token cannot be used: %s", why));
	begin_form(&form, form_size(role, token), "AssumeRoleWithWebIdentity");
	add_role(&form, role);
	add_field(&form, "WebIdentityToken", token);
	return iotdata_sts_end(begin(source, role, &form, NULL), values, failure);
}
