/*
 * api.c
 *	  The Data Plane's operations over HTTP: signature, path, arguments, and the
 *	  form of answers.
 */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAX_SEGMENTS 4

const ApiOptions *api_options;

typedef struct Operation
{
	const char *method;
	size_t		segments;		/* of the path */
	const char *first;
	const char *third;			/* NULL: there is none */
	QuotaKind	quota;
	void		(*handle) (ApiCall *call);
} Operation;

/* The second segment of a path, where there is one, is the label. */
static const Operation operations[] = {
	{"GET", 2, "connections", NULL, QUOTA_READ, api_get_connection},
	{"DELETE", 2, "connections", NULL, QUOTA_READ, api_delete_connection},
	{"GET", 3, "connections", "subscriptions", QUOTA_READ, api_list_subscriptions},
	{"POST", 3, "connections", "messages", QUOTA_SEND, api_send_direct_message},
	{"POST", 2, "topics", NULL, QUOTA_SEND, api_publish},
	{"GET", 2, "retainedMessage", NULL, QUOTA_NONE, api_get_retained_message},
	{"GET", 1, "retainedMessage", NULL, QUOTA_NONE, api_list_retained_messages},
};

static const struct
{
	int			status;
	const char *name;
}			errors[] = {
	[API_INVALID_REQUEST] = {400, "InvalidRequestException"},
	[API_FORBIDDEN] = {403, "ForbiddenException"},
	[API_NOT_FOUND] = {404, "ResourceNotFoundException"},
	[API_METHOD_NOT_ALLOWED] = {405, "MethodNotAllowedException"},
	[API_TOO_LARGE] = {413, "RequestEntityTooLargeException"},
	[API_THROTTLED] = {429, "ThrottlingException"},
	[API_INTERNAL_FAILURE] = {500, "InternalFailureException"},
	[API_UNAVAILABLE] = {503, "ServiceUnavailableException"},
	[API_GATEWAY_TIMEOUT] = {504, "GatewayTimeoutException"},
};

void
api_init(const ApiOptions *options)
{
	api_options = options;
}

/* ------ answers ------ */

static void
send_object(HttpRequest *request, int status, const char *error, json_object *object)
{
	Buffer		body = {0};
	size_t		length;
	const char *text = json_object_to_json_string_length(object,
														 JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
														 &length);

	buffer_append(&body, text, length);
	json_object_put(object);
	http_answer(request, status, error, &body);
}

static json_object *
make_message(const char *message)
{
	json_object *object = json_object_new_object();
	char		trace_id[37];

	text_make_uuid(trace_id);
	json_object_object_add(object, "message", json_object_new_string(message));
	json_object_object_add(object, "traceId", json_object_new_string(trace_id));
	return object;
}

static void
send_error(HttpRequest *request, ApiError error, const char *message)
{
	send_object(request, errors[error].status, errors[error].name, make_message(message));
}

/* The answer to what was carried out, unless a fault takes its place. */
static void
answer_object(HttpRequest *request, int status, const char *error, json_object *object)
{
	if (request->fault == FAULT_NONE)
	{
		send_object(request, status, error, object);
		return;
	}
	json_object_put(object);
	if (request->fault == FAULT_CLOSE_AFTER)
		http_close(request);
	else
		send_error(request, API_GATEWAY_TIMEOUT, "The service did not answer in time");
}

void
api_fail(HttpRequest *request, ApiError error, const char *message)
{
	answer_object(request, errors[error].status, errors[error].name, make_message(message));
}

void
api_succeed(HttpRequest *request, const char *message)
{
	answer_object(request, 200, NULL, make_message(message));
}

void
api_answer(HttpRequest *request, json_object *object)
{
	answer_object(request, 200, NULL, object);
}

/* ------ the path ------ */

typedef struct Segment
{
	const char *text;
	size_t		length;
} Segment;

/*
 * The number of segments; MAX_SEGMENTS stands for that many or more. Those
 * that are not there are empty.
 */
static size_t
split_path(const char *target, Segment *segments)
{
	size_t		count = 0;
	size_t		left = strcspn(target, "?");

	for (size_t i = 0; i < MAX_SEGMENTS; i++)
		segments[i] = (Segment) {"", 0};
	while (left > 0 && *target == '/' && count < MAX_SEGMENTS)
	{
		size_t		length = strcspn(target + 1, "/?");

		segments[count].text = target + 1;
		segments[count++].length = length;
		target += length + 1;
		left -= length + 1;
	}
	return left > 0 ? MAX_SEGMENTS : count;
}

static bool
is_segment(Segment segment, const char *text)
{
	return segment.length == strlen(text) && memcmp(segment.text, text, segment.length) == 0;
}

/* NULL with *known_path: the path is there, for another method. */
static const Operation *
find_operation(const char *method, const Segment *segments, size_t count, bool *known_path)
{
	*known_path = false;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
	{
		const Operation *operation = &operations[i];

		if (operation->segments != count || !is_segment(segments[0], operation->first) ||
			(operation->third != NULL && !is_segment(segments[2], operation->third)))
			continue;
		*known_path = true;
		if (strcmp(operation->method, method) == 0)
			return operation;
	}
	return NULL;
}

/* ------ a request ------ */

static void
free_call(ApiCall *call)
{
	for (size_t i = 0; i < call->argument_count; i++)
	{
		free(call->arguments[i].name);
		free(call->arguments[i].value);
	}
	free(call->arguments);
	free(call->label);
}

static char *
decode_text(const char *text, size_t length)
{
	char	   *decoded = text_percent_decode(text, length);

	if (decoded != NULL && text_is_utf8(decoded, strlen(decoded)))
		return decoded;
	free(decoded);
	return NULL;
}

static bool
take_argument(ApiCall *call, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t		name_length = equals != NULL ? (size_t) (equals - text) : length;
	ApiArgument *argument = &call->arguments[call->argument_count];

	argument->name = decode_text(text, name_length);
	argument->value = equals == NULL ? memory_copy_string("") :
		decode_text(equals + 1, length - name_length - 1);
	call->argument_count++;
	return argument->name != NULL && argument->value != NULL;
}

/* False when something in it is not UTF-8, percent-encoded. */
static bool
take_query(ApiCall *call)
{
	const char *query = strchr(call->request->target, '?');
	size_t		capacity = 1;

	if (query == NULL)
		return true;
	query++;
	for (const char *at = query; *at != '\0'; at++)
		capacity += *at == '&';
	call->arguments = memory_alloc(capacity * sizeof(ApiArgument));
	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&");

		if (length > 0 && !take_argument(call, query, length))
			return false;
		query += length + (query[length] == '&');
	}
	return true;
}

static bool
is_within_quota(const Operation *operation, const ApiCall *call)
{
	return api_options->quota == NULL ||
		quota_take(api_options->quota, operation->quota, call->label, loop_now());
}

/* What is over a quota has no fault but that. */
static void
throttle(HttpRequest *request)
{
	request->retry_after = api_options->retry_after;
	send_error(request, API_THROTTLED, "Rate exceeded");
}

static void
run_operation(const Operation *operation, HttpRequest *request, const Segment *segments)
{
	ApiCall		call = {.request = request};
	bool		good = true;

	if (operation->segments > 1)
	{
		call.label = decode_text(segments[1].text, segments[1].length);
		good = call.label != NULL;
	}
	if (!good || !take_query(&call))
		api_fail(request, API_INVALID_REQUEST, "The request is not percent-encoded UTF-8");
	else if (!is_within_quota(operation, &call))
		throttle(request);
	else
		operation->handle(&call);
	free_call(&call);
}

/* NULL, or why the request's signature is not accepted. */
static const char *
authenticate(const HttpRequest *request)
{
	SignatureRequest signed_request = {
		.method = request->method,
		.target = request->target,
		.headers = request->headers,
		.header_count = request->header_count
	};

	if (!api_options->authenticate)
		return NULL;
	memcpy(signed_request.body_hash, request->body_hash, SIGNATURE_HASH_SIZE);
	return signature_check(&api_options->keys, &signed_request,
						   (time_t) (loop_wall_clock() / 1000));
}

static void
carry_out(HttpRequest *request)
{
	Segment		segments[MAX_SEGMENTS];
	size_t		count = split_path(request->target, segments);
	bool		known_path;
	const char *refusal = authenticate(request);
	const Operation *operation;

	if (refusal != NULL)
	{
		api_fail(request, API_FORBIDDEN, refusal);
		return;
	}
	operation = find_operation(request->method, segments, count, &known_path);
	if (operation != NULL)
		run_operation(operation, request, segments);
	else if (known_path)
		api_fail(request, API_METHOD_NOT_ALLOWED,
				 "The specified combination of HTTP verb and URI is not supported");
	else
		api_fail(request, API_NOT_FOUND, "There is no operation at this path");
}

/*
 * What fails here is as if it never came: it is not carried out, and counts
 * for no quota.
 */
void
api_handle(HttpRequest *request)
{
	request->fault = fault_choose();
	switch (request->fault)
	{
		case FAULT_INTERNAL_FAILURE:
			send_error(request, API_INTERNAL_FAILURE, "An unexpected error has occurred");
			break;
		case FAULT_UNAVAILABLE:
			send_error(request, API_UNAVAILABLE, "The service is temporarily unavailable");
			break;
		case FAULT_CLOSE_BEFORE:
			http_close(request);
			break;
		default:
			carry_out(request);
			break;
	}
}
