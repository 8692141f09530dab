/*
 * answer.c
 *		What came back: the service's answer to a call, or why there is none.
 */
#include "postgres.h"

#include "answer/answer.h"
#include "answer/document.h"
#include "answer/error_report.h"
#include "answer/fields.h"
#include "call/scope.h"
#include "error/raise.h"
#include "shared/shared.h"
#include "utils/timestamp.h"

/* longest token for a next page that is taken */
#define MAX_TOKEN_LENGTH 8192

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
	failure->sqlstate = ERRCODE_PROTOCOL_VIOLATION;
	failure->message = psprintf("the answer to AWS IoT %s is not what it must be: %s",
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

/* Nothing is known yet. The fields, which are large, are left as they are. */
static void
begin_answer(IotDataAnswer *answer, const IotDataRequest *request)
{
	answer->request = request;
	answer->call = NULL;
	answer->absent = false;
	answer->from_cache = false;
	answer->observed_at = 0;
	answer->root.type = IOTDATA_JSON_MISSING;
	answer->http_status = 0;
	answer->request_id = NULL;
	answer->attempts = 0;
}

void
iotdata_answer_from_cache(IotDataAnswer *answer, const IotDataRequest *request,
						  const IotDataCachedAnswer *kept)
{
	begin_answer(answer, request);
	answer->from_cache = true;
	answer->absent = kept->absent;
	answer->observed_at = kept->observed_at;
	if (!kept->absent)
		iotdata_fields_unpack(request->operation, kept->bytes, answer->fields);
}

void
iotdata_answer_store(const IotDataAnswer *answer, const uint8 *scope)
{
	const IotDataOperation *operation = answer->request->operation;
	IotDataCachedAnswer kept;

	if (operation->max_age < 0 || answer->from_cache)
		return;
	/* a session that has no use for kept answers needs no memory for its own */
	if (answer->request->max_age < 0 && !iotdata_shared_is_preloaded())
		return;
	kept.observed_at = answer->observed_at;
	kept.absent = answer->absent;
	kept.length = 0;
	if (!answer->absent)
	{
		kept.length = iotdata_fields_pack(operation, answer->fields,
										  kept.bytes, sizeof(kept.bytes));
		if (kept.length == 0)
			return;				/* too long */
	}
	iotdata_keep_store(scope, answer->request, &kept);
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
	if (answer->root.type != IOTDATA_JSON_OBJECT)
		return "not a JSON object";
	if (operation->items == NULL)
		iotdata_fields_read(operation, answer->root, answer->fields);
	return NULL;
}

bool
iotdata_answer_read(IotDataAnswer *answer, IotDataCall *call,
					IotDataFailure *failure)
{
	const IotDataOperation *operation = call->request->operation;
	const char *why;

	if (call->kept != NULL)
	{
		iotdata_answer_from_cache(answer, call->request, call->kept);
		return true;
	}
	begin_answer(answer, call->request);
	answer->call = call;
	answer->attempts = call->attempts;
	answer->observed_at = GetCurrentTimestamp();
	if (iotdata_transfer_status(call->transfer) == IOTDATA_TRANSFER_ANSWERED)
		answer->http_status = iotdata_transfer_http_status(call->transfer);
	answer->absent = answer->http_status == 404 && !operation->is_action;
	if (answer->absent)
		return true;
	if (answer->http_status / 100 != 2)
	{
		iotdata_error_report(call, failure);
		return false;
	}
	why = operation->nfields > 0 ? read_document(answer, call) : NULL;
	if (why != NULL)
		describe_refusal(answer, why, failure);
	return why == NULL;
}

IotDataAnswer *
iotdata_call(IotDataCallSet *set, const IotDataRequest *request)
{
	IotDataAnswer *answer = palloc(sizeof(*answer));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata call",
												  ALLOCSET_SMALL_SIZES);
	IotDataFailure failure;
	IotDataCall *call;

	iotdata_callset_add(set, context, request, NULL);
	call = iotdata_callset_next(set);
	if (!iotdata_answer_read(answer, call, &failure))
		iotdata_raise(&failure);
	if (answer->from_cache)
		iotdata_statistics_note_hits(call->target->endpoint.authority,
									 request->operation->name, 1);
	return answer;
}

void
iotdata_answer_item(const IotDataAnswer *answer, IotDataJsonValue item,
					IotDataJsonValue fields[IOTDATA_MAX_FIELDS])
{
	const IotDataOperation *operation = answer->request->operation;

	if (item.type != IOTDATA_JSON_OBJECT)
		iotdata_answer_refuse(answer, psprintf("an element of \"%s\" is not an object",
											   operation->items));
	iotdata_fields_read(operation, item, fields);
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
