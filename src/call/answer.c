/*
 * answer.c
 *		What came back: the service's answer to a call, or why there is none.
 */
#include "postgres.h"

#include "call/answer.h"
#include "call/document.h"
#include "call/error.h"
#include "call/problem.h"

/* longest token for a next page that is taken */
#define MAX_TOKEN_LENGTH 8192

static void
describe_refusal(const IotDataAnswer *answer, const char *why,
				 IotDataFailure *failure)
{
	const IotDataOperation *operation = answer->request->operation;

	failure->sqlstate = ERRCODE_PROTOCOL_VIOLATION;
	failure->message = psprintf("the answer to AWS IoT %s is not what it must be: %s",
								operation->name, why);
	failure->detail = psprintf("HTTP status %d%s%s, %d attempt%s.",
							   answer->http_status,
							   answer->request_id ? ", request id " : "",
							   answer->request_id ? answer->request_id : "",
							   answer->attempts,
							   answer->attempts == 1 ? "" : "s");
	failure->hint = operation->fate_hint;
}

void
iotdata_answer_refuse(const IotDataAnswer *answer, const char *why)
{
	IotDataFailure failure;

	describe_refusal(answer, why, &failure);
	iotdata_raise(&failure);
}

bool
iotdata_answer_read(IotDataAnswer *answer, const IotDataCall *call,
					IotDataFailure *failure)
{
	const char *why = NULL;
	const char *body;
	size_t		length;

	MemSet(answer, 0, sizeof(*answer));
	answer->request = call->request;
	answer->attempts = call->attempts;
	if (iotdata_transfer_status(call->transfer) == IOTDATA_TRANSFER_ANSWERED)
		answer->http_status = iotdata_transfer_http_status(call->transfer);
	if (answer->http_status == 404 && !call->request->operation->acts)
	{
		answer->absent = true;
		return true;
	}
	if (answer->http_status / 100 != 2)
	{
		iotdata_call_describe_problem(call, failure);
		return false;
	}
	if (call->request->operation->nfields == 0)
		return true;
	answer->request_id = iotdata_call_request_id(call);
	body = iotdata_transfer_body(call->transfer, &length);
	answer->root = iotdata_document_parse(body, length, &why);
	if (why == NULL && answer->root.type != IOTDATA_JSON_OBJECT)
		why = "not a JSON object";
	if (why == NULL)
		return true;
	describe_refusal(answer, why, failure);
	return false;
}

IotDataAnswer *
iotdata_call(const IotDataTarget *target, const IotDataRequest *request)
{
	IotDataAnswer *answer = palloc(sizeof(*answer));
	IotDataCallSet *set = iotdata_callset_create(target);

	PG_TRY();
	{
		IotDataFailure failure;

		iotdata_callset_add(set, request);
		if (!iotdata_answer_read(answer, iotdata_callset_next(set), &failure))
			iotdata_raise(&failure);
	}
	PG_FINALLY();
	{
		/* at once: who catches the error may keep the memory for long */
		iotdata_callset_delete(set);
	}
	PG_END_TRY();
	return answer;
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
