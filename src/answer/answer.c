/*
 * answer.c
 *		What came back: the service's answer to a call, or why there is none.
 */
#include "postgres.h"

#include "answer/answer.h"
#include "answer/document.h"
#include "answer/error_report.h"
#include "error/raise.h"
#include "shared/cache_values.h"
#include "shared/shared.h"
#include "utils/timestamp.h"

/* longest token for a next page that is taken */
#define MAX_TOKEN_LENGTH 8192

/* Describe an answer that is malformed; its call is counted as such. */
static void
describe_refusal(const IotDataAnswer *answer, const char *why,
				 IotDataFailure *failure)
{
	const IotDataOperation *operation = answer->request->operation;
	const char *request_id = answer->request_id;

	if (answer->call != NULL)
	{
		answer->call->outcome = IOTDATA_OUTCOME_MALFORMED;
		request_id = iotdata_call_request_id(answer->call);
	}
	failure->sqlstate = IOTDATA_ERRCODE_PROTOCOL_VIOLATION;
	failure->message = psprintf("the answer to AWS IoT %s is malformed: %s",
								operation->name, why);
	failure->detail = psprintf("HTTP status %d%s%s, %d attempt%s.",
							   answer->http_status,
							   request_id ? ", request id " : "",
							   request_id ? request_id : "",
							   answer->attempts,
							   answer->attempts == 1 ? "" : "s");
	failure->hint = operation->unknown_outcome_hint;
}

void
iotdata_answer_refuse(const IotDataAnswer *answer, const char *why)
{
	IotDataFailure failure;

	describe_refusal(answer, why, &failure);
	iotdata_raise(&failure);
}

/* Nothing is known yet. The values, which are large, are left as they are. */
static void
begin_answer(IotDataAnswer *answer, const IotDataRequest *request)
{
	answer->request = request;
	answer->call = NULL;
	answer->not_found = false;
	answer->from_cache = false;
	answer->observed_at = 0;
	answer->root.type = IOTDATA_JSON_MISSING;
	answer->http_status = 0;
	answer->request_id = NULL;
	answer->attempts = 0;
}

void
iotdata_answer_from_cache(IotDataAnswer *answer, const IotDataRequest *request,
						  const IotDataCachedAnswer *cached)
{
	begin_answer(answer, request);
	answer->from_cache = true;
	answer->not_found = cached->not_found;
	answer->observed_at = cached->observed_at;
	if (!cached->not_found)
		iotdata_cache_unpack(cached->bytes, request->request_target,
							 answer->values, request->operation->ncolumns,
							 palloc(iotdata_cache_unpacked_size(cached->bytes)));
}

bool
iotdata_answer_is_cacheable(const IotDataAnswer *answer, bool again)
{
	return !answer->from_cache &&
		iotdata_operation_argument(answer->request->operation, IOTDATA_ROLE_MAX_AGE) != NULL &&
		(again || answer->request->max_age >= 0 || iotdata_shared_is_preloaded());
}

void
iotdata_answer_store(const IotDataAnswer *answer, const IotDataCacheKey *key)
{
	const IotDataOperation *operation = answer->request->operation;
	IotDataCachedAnswer cached = {
		.observed_at = answer->observed_at,
		.not_found = answer->not_found
	};
	char		bytes[IOTDATA_CACHE_MAX_LENGTH];

	if (!answer->not_found)
	{
		cached.bytes = bytes;
		cached.length = iotdata_cache_pack(answer->values, operation->ncolumns,
										   key->request, key->length,
										   bytes, sizeof(bytes));
		if (cached.length == 0)
			return;				/* too long */
	}
	iotdata_cache_store(key, &cached, &answer->asked);
}

/*
 * What each column is made of, out of the body or an item. A column without a
 * member is made of all of it.
 */
static void
pick_values(const IotDataOperation *operation, IotDataJsonValue object,
			IotDataJsonValue values[IOTDATA_MAX_COLUMNS])
{
	for (int i = 0; i < operation->ncolumns; i++)
	{
		const IotDataColumn *column = &operation->columns[i];

		if (column->type == IOTDATA_WIRE_OBSERVED_AT)
			values[i].type = IOTDATA_JSON_MISSING;
		else if (column->member == NULL)
			values[i] = object;
		else
			values[i] = iotdata_json_member(object, column->member);
	}
}

/* Has the operation columns that are members? Then the others are not alone. */
static bool
has_members(const IotDataOperation *operation)
{
	for (int i = 0; i < operation->ncolumns; i++)
	{
		if (operation->columns[i].member != NULL)
			return true;
	}
	return false;
}

/* Parse the body of a good answer. Returns NULL, or why it cannot be. */
static const char *
read_document(IotDataAnswer *answer, const IotDataCall *call)
{
	const IotDataOperation *operation = call->request->operation;
	const char *why = NULL;
	size_t		length;
	const char *body = iotdata_transfer_body(call->transfer, &length);

	/* of a list, whose call may be gone when its items are read */
	if (operation->items != NULL)
		answer->request_id = iotdata_call_request_id(call);
	answer->root = iotdata_document_parse(body, length, &why);
	if (why != NULL)
		return why;
	if (answer->root.type != IOTDATA_JSON_OBJECT &&
		(operation->items != NULL || has_members(operation)))
		return "not a JSON object";
	if (operation->items == NULL)
		pick_values(operation, answer->root, answer->values);
	return NULL;
}

/*
 * The service's 404 to a read says that there is nothing. A proxy's does not,
 * nor does that of a web server that is not the service at all.
 */
static bool
is_not_found(const IotDataCall *call, int http_status)
{
	return http_status == 404 && !iotdata_operation_is_action(call->operation) &&
		iotdata_error_is_not_found(call);
}

bool
iotdata_answer_read(IotDataAnswer *answer, IotDataCall *call,
					IotDataFailure *failure)
{
	const IotDataOperation *operation = call->request->operation;
	const char *why = NULL;

	if (call->cached != NULL)
	{
		iotdata_answer_from_cache(answer, call->request, call->cached);
		return true;
	}
	begin_answer(answer, call->request);
	answer->call = call;
	answer->attempts = call->attempts;
	answer->observed_at = GetCurrentTimestamp();
	answer->asked = call->asked;
	if (iotdata_transfer_status(call->transfer) == IOTDATA_TRANSFER_ANSWERED)
		answer->http_status = iotdata_transfer_http_status(call->transfer);
	answer->not_found = is_not_found(call, answer->http_status);
	if (answer->not_found)
	{
		call->outcome = IOTDATA_OUTCOME_ANSWERED;
		return true;
	}
	if (answer->http_status / 100 != 2)
	{
		iotdata_error_report(call, failure);
		return false;
	}
	if (operation->ncolumns > 0)
		why = read_document(answer, call);
	if (why != NULL)
		describe_refusal(answer, why, failure);
	return why == NULL;
}

void
iotdata_answer_item(const IotDataAnswer *answer, IotDataJsonValue item,
					IotDataJsonValue values[IOTDATA_MAX_COLUMNS])
{
	const IotDataOperation *operation = answer->request->operation;

	if (item.type != IOTDATA_JSON_OBJECT && has_members(operation))
		iotdata_answer_refuse(answer, psprintf("an element of \"%s\" is not an object",
											   operation->items));
	pick_values(operation, item, values);
}

IotDataJsonValue
iotdata_answer_items(const IotDataAnswer *answer)
{
	const char *name = answer->request->operation->items;
	IotDataJsonValue items = iotdata_json_member(answer->root, name);

	if (items.type == IOTDATA_JSON_ARRAY ||
		items.type == IOTDATA_JSON_MISSING || items.type == IOTDATA_JSON_NULL)
		return items;
	iotdata_answer_refuse(answer, psprintf("\"%s\" is not an array", name));
}

IotDataBytes
iotdata_answer_next_token(const IotDataAnswer *answer)
{
	IotDataJsonValue token = iotdata_json_member(answer->root, "nextToken");

	if (token.type == IOTDATA_JSON_MISSING || token.type == IOTDATA_JSON_NULL)
		return (IotDataBytes) {NULL, 0};
	if (token.type != IOTDATA_JSON_STRING)
		iotdata_answer_refuse(answer, "\"nextToken\" is not a string");
	if (token.length > MAX_TOKEN_LENGTH)
		iotdata_answer_refuse(answer, "\"nextToken\" is too long");
	return (IotDataBytes) {token.string, token.length};
}
