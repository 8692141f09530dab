/*
 * function.c
 *		What all SQL functions that make a call have in common.
 *
 * Each call works in a memory context of its own, to which the answer belongs;
 * only the finished row is made in the caller's.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "answer/answer.h"
#include "answer/decode.h"
#include "api/function.h"
#include "call/callset.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "error/raise.h"
#include "funcapi.h"
#include "lookup/pages.h"
#include "request/request.h"
#include "target/find.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/regproc.h"

/* What an SQL function returns. */
typedef struct FunctionResult
{
	TupleDesc	columns;		/* of its row, or its one value; NULL: void */
	bool		is_row;
} FunctionResult;

/* A list that is being returned. */
typedef struct Listing
{
	const IotDataTarget *target;
	IotDataRequest *request;	/* for the first page */
	FunctionResult result;
	IotDataPages *pages;
	MemoryContext page;			/* all of the current page */
	IotDataAnswer *answer;		/* the current page; NULL: none yet */
	IotDataJsonValue items;
	size_t		next;			/* row in it */
} Listing;

/* ---- what the SQL function is ---- */

static IotDataRequest *
build_request(FunctionCallInfo fcinfo, const IotDataOperation *operation,
			  IotDataErrorContext *errors)
{
	IotDataArgumentTypes types;

	iotdata_argument_types(&types, fcinfo->flinfo->fn_oid, operation);
	return iotdata_request_build(operation, fcinfo->args, &types, errors);
}

/*
 * What the function returns, in the current memory context. Raises 55000 when
 * it cannot be made of the operation's answers, before anything is sent.
 */
static FunctionResult
find_result(FunctionCallInfo fcinfo, const IotDataOperation *operation)
{
	FunctionResult result = {NULL, false};
	Oid			type;
	TypeFuncClass class = get_call_result_type(fcinfo, &type, &result.columns);

	if (class == TYPEFUNC_SCALAR && type == VOIDOID)
		return result;
	result.is_row = class == TYPEFUNC_COMPOSITE;
	if (class == TYPEFUNC_SCALAR)
		result.columns = iotdata_one_column(type);
	if (result.columns == NULL || !iotdata_decode_fits(operation, result.columns))
		iotdata_raise_version(format_procedure(fcinfo->flinfo->fn_oid));
	return result;
}

/* The target of a request, held by the current memory context. */
static const IotDataTarget *
find_target(const IotDataRequest *request)
{
	IotDataFailure failure;
	const IotDataTarget *target = iotdata_target_find(request->server, CurrentMemoryContext,
													  &failure);

	if (target == NULL)
		iotdata_raise(&failure);
	return target;
}

static IotDataCallQueue *
create_queue(IotDataCallSet *set, const IotDataTarget *target)
{
	IotDataFailure failure;
	IotDataCallQueue *queue = iotdata_callset_queue(set, target, &failure);

	if (queue == NULL)
		iotdata_raise(&failure);
	return queue;
}

/* ---- what comes back ---- */

/* Make the call, and read its answer, in the current memory context. */
static IotDataAnswer *
get_answer(IotDataCallQueue *queue, const IotDataRequest *request)
{
	IotDataAnswer *answer = palloc(sizeof(*answer));
	IotDataCall *call = iotdata_callset_call(queue, request);
	IotDataFailure failure;

	if (!iotdata_answer_read(answer, call, &failure))
		iotdata_raise(&failure);
	if (answer->from_cache)
		iotdata_statistics_note_hits(call->target->endpoint.authority, call->account,
									 request->operation->name, 1);
	return answer;
}

/* What the function returns for an answer's values, in "context". */
static Datum
make_result(const FunctionResult *result, const IotDataAnswer *answer,
			const IotDataJsonValue *values, MemoryContext context, bool *isnull)
{
	MemoryContext caller;
	Datum		datum = (Datum) 0;

	*isnull = false;
	if (result->columns == NULL)
		return datum;
	if (result->is_row)
		return HeapTupleGetDatum(iotdata_decode_row(answer, values, result->columns, context));
	iotdata_decode(answer, values, result->columns, NULL, &datum, isnull);
	caller = MemoryContextSwitchTo(context);
	if (!*isnull)
		datum = datumCopy(datum, TupleDescAttr(result->columns, 0)->attbyval,
						  TupleDescAttr(result->columns, 0)->attlen);
	MemoryContextSwitchTo(caller);
	return datum;
}

/* May the operation's answers come from the cache, and does this one help? */
static void
store(const IotDataCallQueue *queue, const IotDataAnswer *answer)
{
	IotDataCacheKey key;

	if (!iotdata_answer_is_cacheable(answer, false))
		return;
	key = iotdata_callset_cache_key(queue, answer->request);
	iotdata_answer_store(answer, &key);
}

/* ---- one call ---- */

/* Make the one call of a function. What it returns is made in "context". */
static Datum
make_one_call(const FunctionResult *result, const IotDataRequest *request,
			  MemoryContext context, bool *isnull)
{
	const IotDataTarget *target = find_target(request);
	IotDataCallSet *set = iotdata_callset_create();
	Datum volatile datum = (Datum) 0;

	PG_TRY();
	{
		IotDataCallQueue *queue = create_queue(set, target);
		IotDataAnswer *answer = get_answer(queue, request);

		*isnull = answer->not_found;
		if (!answer->not_found)
			datum = make_result(result, answer, answer->values, context, isnull);
		store(queue, answer);
	}
	PG_FINALLY();
	{
		/* at once: who catches the error may keep the memory for long */
		iotdata_callset_delete(set);
	}
	PG_END_TRY();
	return datum;
}

Datum
iotdata_function_row(FunctionCallInfo fcinfo, const IotDataOperation *operation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata function",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	IotDataErrorContext errors;
	IotDataRequest *request;
	FunctionResult result;
	Datum		datum = (Datum) 0;

	fcinfo->isnull = true;
	iotdata_error_context_push(&errors, operation->name);
	result = find_result(fcinfo, operation);
	request = build_request(fcinfo, operation, &errors);
	if (request != NULL)
		datum = make_one_call(&result, request, caller, &fcinfo->isnull);
	iotdata_error_context_pop(&errors);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return datum;
}

/* ---- lists ---- */

/*
 * Begin a list, in the current memory context; NULL when a required argument
 * is NULL.
 */
static Listing *
begin_list(FunctionCallInfo fcinfo, const IotDataOperation *operation,
		   IotDataErrorContext *errors)
{
	FunctionResult result = find_result(fcinfo, operation);
	IotDataRequest *request = build_request(fcinfo, operation, errors);
	Listing    *list;

	if (request == NULL)
		return NULL;
	list = palloc0(sizeof(*list));
	list->request = request;
	list->result = result;
	list->pages = iotdata_pages_create(request);
	list->page = AllocSetContextCreate(CurrentMemoryContext, "iotdata page",
									   ALLOCSET_DEFAULT_SIZES);
	list->target = find_target(request);
	return list;
}

/* Ask for the list's first page, or the next. Returns false after the last. */
static bool
fetch_page(Listing *list)
{
	MemoryContext caller;
	const IotDataRequest *request;

	MemoryContextReset(list->page);
	caller = MemoryContextSwitchTo(list->page);
	list->items.length = 0;
	list->next = 0;
	request = iotdata_pages_next(list->pages);
	if (request != NULL)
	{
		IotDataCallSet *set = iotdata_callset_create();

		PG_TRY();
		{
			list->answer = get_answer(create_queue(set, list->target), request);
			list->items = iotdata_pages_take(list->pages, list->answer);
			list->answer->call = NULL;
		}
		PG_FINALLY();
		{
			iotdata_callset_delete(set);
		}
		PG_END_TRY();
	}
	MemoryContextSwitchTo(caller);
	return request != NULL;
}

/* The list's next row, or false at its end. */
static bool
next_row(Listing *list, Datum *datum, bool *isnull)
{
	IotDataJsonValue values[IOTDATA_MAX_COLUMNS];

	while (list->next >= list->items.length)
	{
		if (!fetch_page(list))
			return false;
	}
	iotdata_answer_item(list->answer,
						iotdata_json_element(list->items, list->next++), values);
	*datum = make_result(&list->result, list->answer, values, CurrentMemoryContext, isnull);
	return true;
}

static void
set_subject(IotDataErrorContext *errors, const IotDataRequest *request)
{
	if (request->subject == NULL)
		return;
	errors->subject_name = iotdata_operation_argument(request->operation,
													  IOTDATA_ROLE_SUBJECT)->name;
	errors->subject = request->subject;
}

Datum
iotdata_function_list(FunctionCallInfo fcinfo, const IotDataOperation *operation)
{
	IotDataErrorContext errors;
	FuncCallContext *call;
	Listing    *list;
	Datum		datum = (Datum) 0;
	bool		isnull = true;
	bool		more = false;

	iotdata_error_context_push(&errors, operation->name);
	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext caller;

		call = SRF_FIRSTCALL_INIT();
		caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		call->user_fctx = begin_list(fcinfo, operation, &errors);
		MemoryContextSwitchTo(caller);
	}
	call = SRF_PERCALL_SETUP();
	list = call->user_fctx;
	if (list != NULL)
	{
		set_subject(&errors, list->request);
		more = next_row(list, &datum, &isnull);
	}
	iotdata_error_context_pop(&errors);
	if (!more)
		SRF_RETURN_DONE(call);
	if (isnull)
		SRF_RETURN_NEXT_NULL(call);
	SRF_RETURN_NEXT(call, datum);
}
