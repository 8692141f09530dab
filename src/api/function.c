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
#include "api/function.h"
#include "call/callset.h"
#include "error/raise.h"
#include "funcapi.h"
#include "lookup/pages.h"
#include "request/request.h"
#include "target/target.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A list that is being returned. */
typedef struct Listing
{
	IotDataTarget target;
	IotDataRequest *request;	/* for the first page */
	IotDataPages *pages;
	MemoryContext page;			/* all of the current page */
	IotDataAnswer *answer;		/* the current page; NULL: none yet */
	IotDataJsonValue items;
	size_t		next;			/* row in it */
} Listing;

static IotDataRequest *
build_request(FunctionCallInfo fcinfo, const IotDataOperation *operation,
			  IotDataErrorContext *errors)
{
	Oid		   *types;
	int			ntypes;

	get_func_signature(fcinfo->flinfo->fn_oid, &types, &ntypes);
	Assert(ntypes == operation->narguments);
	return iotdata_request_build(operation, fcinfo->args, types, errors);
}

static void
find_target(IotDataTarget *target)
{
	IotDataFailure failure;

	if (!iotdata_target_default(target, &failure))
		iotdata_raise(&failure);
}

/*
 * Make the one call of a function, and its row, in "result"; NULL when there
 * is none.
 */
static HeapTuple
call_for_row(FunctionCallInfo fcinfo, const IotDataRequest *request,
			 MemoryContext result)
{
	IotDataTarget target;
	IotDataCallSet *set;
	HeapTuple volatile row = NULL;

	find_target(&target);
	set = iotdata_callset_create(&target);
	PG_TRY();
	{
		IotDataAnswer *answer = iotdata_call(set, request);
		TupleDesc	columns;

		if (!answer->absent && request->operation->nfields > 0)
		{
			get_call_result_type(fcinfo, NULL, &columns);
			row = iotdata_answer_row(answer, answer->fields, columns, result);
		}
		iotdata_answer_store(answer, iotdata_callset_scope(set));
		fcinfo->isnull = answer->absent;
	}
	PG_FINALLY();
	{
		/* at once: who catches the error may keep the memory for long */
		iotdata_callset_delete(set);
	}
	PG_END_TRY();
	return row;
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
	HeapTuple	row = NULL;

	fcinfo->isnull = true;
	iotdata_error_context_push(&errors, operation);
	request = build_request(fcinfo, operation, &errors);
	if (request != NULL)
		row = call_for_row(fcinfo, request, caller);
	iotdata_error_context_pop(&errors);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return row != NULL ? HeapTupleGetDatum(row) : (Datum) 0;
}

/*
 * Begin a list, in the current memory context; NULL when a required argument
 * is NULL.
 */
static Listing *
begin_list(FunctionCallInfo fcinfo, const IotDataOperation *operation,
		   IotDataErrorContext *errors)
{
	IotDataRequest *request = build_request(fcinfo, operation, errors);
	Listing    *list;

	if (request == NULL)
		return NULL;
	list = palloc0(sizeof(*list));
	list->request = request;
	list->pages = iotdata_pages_create(request);
	list->page = AllocSetContextCreate(CurrentMemoryContext, "iotdata page",
									   ALLOCSET_DEFAULT_SIZES);
	find_target(&list->target);
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
		IotDataCallSet *set = iotdata_callset_create(&list->target);

		PG_TRY();
		{
			list->answer = iotdata_call(set, request);
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

/* The list's next row, or NULL at its end. */
static HeapTuple
next_row(Listing *list, TupleDesc columns)
{
	IotDataJsonValue fields[IOTDATA_MAX_FIELDS];

	while (list->next >= list->items.length)
	{
		if (!fetch_page(list))
			return NULL;
	}
	iotdata_answer_item(list->answer,
						iotdata_json_element(list->items, list->next++), fields);
	return iotdata_answer_row(list->answer, fields, columns, CurrentMemoryContext);
}

Datum
iotdata_function_list(FunctionCallInfo fcinfo, const IotDataOperation *operation)
{
	IotDataErrorContext errors;
	FuncCallContext *call;
	Listing    *list;
	HeapTuple	row = NULL;

	iotdata_error_context_push(&errors, operation);
	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext caller;

		call = SRF_FIRSTCALL_INIT();
		caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		call->user_fctx = begin_list(fcinfo, operation, &errors);
		get_call_result_type(fcinfo, NULL, &call->tuple_desc);
		MemoryContextSwitchTo(caller);
	}
	call = SRF_PERCALL_SETUP();
	list = call->user_fctx;
	if (list != NULL)
	{
		errors.subject = list->request->subject;
		row = next_row(list, call->tuple_desc);
	}
	iotdata_error_context_pop(&errors);
	if (row == NULL)
		SRF_RETURN_DONE(call);
	SRF_RETURN_NEXT(call, HeapTupleGetDatum(row));
}
