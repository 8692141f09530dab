/*
 * api.c
 *	  The Data Plane's operations over HTTP: which one a request is for, and
 *	  whether it may be carried out.
 */
#include "api/api.h"

#include <string.h>

#include "api/api_answer.h"
#include "api/api_arguments.h"
#include "api/api_connection.h"
#include "api/api_message.h"
#include "api/api_retained.h"

#define MAX_SEGMENTS 4

static const ApiOptions *api_options;

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

void
api_init(const ApiOptions *options)
{
	api_options = options;
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
	api_refuse(request, API_THROTTLED, "Rate exceeded");
}

static void
run_operation(const Operation *operation, HttpRequest *request, const Segment *segments)
{
	ApiCall		call = {.request = request, .options = api_options};
	const Segment *label = operation->segments > 1 ? &segments[1] : NULL;

	if ((label != NULL && !api_take_label(&call, label->text, label->length)) ||
		!api_take_query(&call))
		api_fail(request, API_INVALID_REQUEST, "The request is not percent-encoded UTF-8");
	else if (!is_within_quota(operation, &call))
		throttle(request);
	else
		operation->handle(&call);
	api_free_arguments(&call);
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
			api_refuse(request, API_INTERNAL_FAILURE, "An unexpected error has occurred");
			break;
		case FAULT_UNAVAILABLE:
			api_refuse(request, API_UNAVAILABLE, "The service is temporarily unavailable");
			break;
		case FAULT_CLOSE_BEFORE:
			http_close(request);
			break;
		default:
			carry_out(request);
			break;
	}
}
