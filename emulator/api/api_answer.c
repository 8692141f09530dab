/*
 * api_answer.c
 *	  The form of answers, good and bad.
 */
#include "api/api_answer.h"

#include "base/text.h"

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

static void
send_object(HttpRequest *request, int status, const char *error, json_object *object)
{
	const int	form = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	Buffer		body = {0};
	size_t		length;

	if (object != NULL)
	{
		const char *text = json_object_to_json_string_length(object, form, &length);

		buffer_append(&body, text, length);
	}
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

void
api_refuse(HttpRequest *request, ApiError error, const char *message)
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
		api_refuse(request, API_GATEWAY_TIMEOUT, "The service did not answer in time");
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
