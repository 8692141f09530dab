/*
 * error_report.c
 *		Why a call failed, in words.
 */
#include "postgres.h"

#include "answer/document.h"
#include "answer/error_report.h"
#include "aws/error_name.h"
#include "aws/json.h"
#include "error/raise.h"
#include "error/sanitize.h"
#include "lib/stringinfo.h"
#include "settings/settings.h"

/* bytes of a stranger's text that a message shows */
#define SHOWN_MESSAGE 1000
#define SHOWN_NAME 100

/* What the service says of an error. */
typedef struct ServiceError
{
	int			http_status;
	const char *name;			/* NULL when there is none */
	const char *message;		/* "" when there is none */
	const char *request_id;		/* NULL when there is none */
	const char *trace_id;		/* likewise */
} ServiceError;

/* Statuses with an SQLSTATE of their own: those of the service's model. */
static const int modelled_statuses[] = {
	400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503, 504
};

/* IO and the status: 'IO404'. */
static int
service_sqlstate(int status)
{
	for (size_t i = 0; i < lengthof(modelled_statuses); i++)
	{
		if (modelled_statuses[i] == status)
			return MAKE_SQLSTATE('I', 'O', '0' + status / 100,
								 '0' + status / 10 % 10, '0' + status % 10);
	}
	return MAKE_SQLSTATE('I', 'O', '0', '0', '0');
}

/*
 * A stranger's text for a message: on one line, in the database's encoding,
 * without any of the call's secrets (a service that finds a signature wrong
 * may tell what was signed), and not too long.
 */
static char *
show(const IotDataCall *call, const char *text, size_t length, int limit)
{
	const IotDataSignedRequest *signed_request = &call->signed_request;
	char	   *shown = iotdata_sanitize(text, length);
	size_t		size = strlen(shown);

	for (int i = 0; i < signed_request->nheaders; i++)
	{
		if (strcmp(signed_request->headers[i].name, "authorization") == 0)
			iotdata_redact(shown, size, signed_request->headers[i].value);
	}
	iotdata_redact(shown, size, signed_request->signature);
	iotdata_redact(shown, size, call->credentials->values.secret_access_key);
	iotdata_redact(shown, size, call->credentials->values.session_token);
	iotdata_truncate(shown, limit);
	return shown;
}

const char *
iotdata_call_request_id(const IotDataCall *call)
{
	static const char *const names[] = {
		"x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"
	};

	for (size_t i = 0; i < lengthof(names); i++)
	{
		const char *value = iotdata_transfer_header(call->transfer, names[i]);

		if (value != NULL && value[0] != '\0')
			return show(call, value, strlen(value), SHOWN_NAME);
	}
	return NULL;
}

/* The string that a member is; NULL when it is none, or an empty one. */
static const char *
string_member(IotDataJsonValue object, const char *name)
{
	IotDataJsonValue value = iotdata_json_member(object, name);

	return value.type == IOTDATA_JSON_STRING && value.length > 0 ? value.string : NULL;
}

/* Header, else body "code" or "Code", else "__type"; NULL when none is a name. */
static const char *
error_name(const IotDataCall *call, IotDataJsonValue body)
{
	const char *candidates[] = {
		iotdata_transfer_header(call->transfer, "x-amzn-ErrorType"),
		string_member(body, "code"),
		string_member(body, "Code"),
		string_member(body, "__type"),
	};
	IotDataBuffer name;

	iotdata_buffer_init(&name, palloc(SHOWN_NAME), SHOWN_NAME);
	for (size_t i = 0; i < lengthof(candidates); i++)
	{
		if (candidates[i] != NULL &&
			iotdata_error_name(&name, candidates[i], strlen(candidates[i])) &&
			!name.overflowed)
			return show(call, name.data, name.length, SHOWN_NAME);
	}
	return NULL;
}

/* The answer's body; MISSING when it is not JSON. */
static IotDataJsonValue
error_body(const IotDataCall *call)
{
	size_t		length;
	const char *body = iotdata_transfer_body(call->transfer, &length);
	const char *unused;

	return iotdata_document_parse(body, length, &unused);
}

static bool
is_resource_not_found(const char *name)
{
	return name != NULL && strcmp(name, "ResourceNotFoundException") == 0;
}

bool
iotdata_error_is_not_found(const IotDataCall *call)
{
	return is_resource_not_found(error_name(call, error_body(call)));
}

static ServiceError
read_service_error(const IotDataCall *call)
{
	ServiceError error = {0};
	size_t		length;
	const char *body = iotdata_transfer_body(call->transfer, &length);
	IotDataJsonValue root = error_body(call);
	const char *message = string_member(root, "message");
	const char *trace_id = string_member(root, "traceId");

	if (message == NULL)
		message = string_member(root, "Message");
	if (message != NULL)
		length = strlen(message);
	else if (root.type == IOTDATA_JSON_MISSING)
		message = body;			/* not JSON: then the text itself */
	else
	{
		message = "";
		length = 0;
	}
	error.http_status = iotdata_transfer_http_status(call->transfer);
	error.name = error_name(call, root);
	error.message = show(call, message, length, SHOWN_MESSAGE);
	error.request_id = iotdata_call_request_id(call);
	if (trace_id != NULL)
		error.trace_id = show(call, trace_id, strlen(trace_id), SHOWN_NAME);
	return error;
}

/* Two sentences, of which the second may be NULL. */
static const char *
join_hints(const char *first, const char *second)
{
	return second == NULL ? first : psprintf("%s %s", first, second);
}

/* What to do about an error, where there is something to do. */
static const char *
service_hint(const IotDataCall *call, const ServiceError *error)
{
	const IotDataOperation *operation = call->operation;

	if (error->http_status >= 300 && error->http_status < 400)
		return "Redirects are not followed: check iotdata.endpoint_url.";
	switch (error->http_status)
	{
		case 401:
		case 403:
			return join_hints(psprintf("Check the server's clock, the credentials, and that their policy allows %s.",
									   operation->permission),
							  operation->forbidden_hint);
		case 404:
			return is_resource_not_found(error->name) ? operation->not_found_hint :
				"This is not the service's own answer: check iotdata.endpoint_url and any proxy.";
		case 429:
			return "A quota of the service is used up: call less often.";
		case 504:
			return call->request->wait_seconds > 0 ?
				join_hints("The device did not confirm in time.", operation->unknown_outcome_hint) :
				operation->unknown_outcome_hint;
		default:
			return error->http_status >= 500 ? operation->unknown_outcome_hint : NULL;
	}
}

static const char *
attempts(const IotDataCall *call)
{
	return psprintf("%d attempt%s", call->attempts, call->attempts == 1 ? "" : "s");
}

static void
describe_service_error(const IotDataCall *call, IotDataFailure *failure)
{
	ServiceError error = read_service_error(call);
	const char *name = error.name;
	StringInfoData detail;

	initStringInfo(&detail);
	if (name != NULL)
		appendStringInfo(&detail, "%s, ", name);
	else
		name = psprintf("HTTP status %d", error.http_status);
	appendStringInfo(&detail, "HTTP status %d", error.http_status);
	if (error.request_id != NULL)
		appendStringInfo(&detail, ", request id %s", error.request_id);
	if (error.trace_id != NULL)
		appendStringInfo(&detail, ", trace id %s", error.trace_id);
	appendStringInfo(&detail, ", %s.", attempts(call));

	failure->sqlstate = service_sqlstate(error.http_status);
	failure->message = error.message[0] == '\0' ?
		psprintf("AWS IoT answered %s", name) :
		psprintf("AWS IoT answered %s: %s", name, error.message);
	failure->detail = detail.data;
	failure->hint = service_hint(call, &error);
}

/* What the transport says. */
static void
describe_transport(const IotDataCall *call, IotDataFailure *failure,
				   int sqlstate, const char *message)
{
	const char *reason = iotdata_transfer_reason(call->transfer);

	failure->sqlstate = sqlstate;
	failure->message = message;
	failure->detail = psprintf("%s; %s.",
							   show(call, reason, strlen(reason), SHOWN_MESSAGE),
							   attempts(call));
	failure->hint = iotdata_transfer_sent(call->transfer) != IOTDATA_SENT_NOTHING ?
		call->operation->unknown_outcome_hint : NULL;
}

void
iotdata_error_report(const IotDataCall *call, IotDataFailure *failure)
{
	const char *endpoint = call->target->endpoint.authority;

	switch (iotdata_transfer_status(call->transfer))
	{
		case IOTDATA_TRANSFER_ANSWERED:
			describe_service_error(call, failure);
			return;
		case IOTDATA_TRANSFER_UNREACHABLE:
			describe_transport(call, failure,
							   IOTDATA_ERRCODE_UNREACHABLE,
							   psprintf("could not connect to %s", endpoint));
			return;
		case IOTDATA_TRANSFER_LOST:
			describe_transport(call, failure, IOTDATA_ERRCODE_CONNECTION_LOST,
							   psprintf("connection to %s was lost", endpoint));
			return;
		case IOTDATA_TRANSFER_TIMED_OUT:
			describe_transport(call, failure, IOTDATA_ERRCODE_CONNECTION_LOST,
							   psprintf("no answer from %s within iotdata.request_timeout",
										endpoint));
			return;
		case IOTDATA_TRANSFER_TOO_LARGE:
			describe_transport(call, failure, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
							   psprintf("the answer from %s is larger than iotdata.max_response_size (%d kB)",
										endpoint, iotdata_max_response_size));
			return;
		case IOTDATA_TRANSFER_MALFORMED:
			describe_transport(call, failure, IOTDATA_ERRCODE_PROTOCOL_VIOLATION,
							   psprintf("%s did not answer in HTTP", endpoint));
			return;
		case IOTDATA_TRANSFER_NO_DESCRIPTORS:
			describe_transport(call, failure, ERRCODE_INSUFFICIENT_RESOURCES,
							   psprintf("no descriptor is left for a connection to %s", endpoint));
			return;
		case IOTDATA_TRANSFER_NO_MEMORY:
			describe_transport(call, failure, ERRCODE_OUT_OF_MEMORY,
							   "out of memory");
			return;
		default:
			describe_transport(call, failure, ERRCODE_SYSTEM_ERROR,
							   psprintf("the request to %s could not be sent",
										endpoint));
			return;
	}
}
