/*
 * function.c
 *		What all SQL functions that make a call have in common.
 *
 * Each call works in a memory context of its own, to which the answer belongs;
 * only the finished row is made in the caller's.
 */
#include "postgres.h"

#include "api/function.h"
#include "access/htup_details.h"
#include "call/answer.h"
#include "call/error.h"
#include "call/request.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "target/target.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A list that is being returned. */
typedef struct Listing
{
	IotDataTarget target;
	IotDataRequest *request;	/* for the first page */
	IotDataBytes token;			/* of the next page; data NULL: none */
	HTAB	   *tokens;			/* hashes of the tokens so far */
	MemoryContext page;			/* all of the current page */
	IotDataAnswer *answer;		/* the current page */
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

/* A row from an object of the answer, in "result". */
static Datum
make_row(const IotDataAnswer *answer, IotDataJsonValue object,
		 TupleDesc columns, MemoryContext result)
{
	Datum	   *values = palloc(columns->natts * sizeof(Datum));
	bool	   *nulls = palloc(columns->natts * sizeof(bool));
	MemoryContext caller;
	Datum		row;

	iotdata_answer_decode(answer, object, columns, values, nulls);
	caller = MemoryContextSwitchTo(result);
	row = HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
	MemoryContextSwitchTo(caller);
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
	Datum		row = (Datum) 0;

	fcinfo->isnull = true;
	iotdata_error_context_push(&errors, operation);
	request = build_request(fcinfo, operation, &errors);
	if (request != NULL)
	{
		IotDataTarget target;
		IotDataAnswer *answer;
		TupleDesc	columns;

		find_target(&target);
		answer = iotdata_call(&target, request);
		fcinfo->isnull = answer->absent;
		if (!answer->absent && operation->nfields > 0)
		{
			get_call_result_type(fcinfo, NULL, &columns);
			row = make_row(answer, answer->root, columns, caller);
		}
	}
	iotdata_error_context_pop(&errors);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return row;
}

static HTAB *
create_token_set(void)
{
	HASHCTL		control = {
		.keysize = sizeof(uint64),
		.entrysize = sizeof(uint64),
		.hcxt = CurrentMemoryContext
	};

	return hash_create("iotdata page tokens", 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
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
	list->tokens = create_token_set();
	list->page = AllocSetContextCreate(CurrentMemoryContext, "iotdata page",
									   ALLOCSET_DEFAULT_SIZES);
	find_target(&list->target);
	return list;
}

/*
 * Remember the token of the next page. One that was seen before would have us
 * go round for ever. Tokens are kept as hashes of 64 bits: a list of 100,000
 * pages meets a false alarm once in billions of times.
 */
static void
note_token(Listing *list, IotDataBytes token)
{
	uint64		hash;
	bool		seen;

	if (list->token.data != NULL)
		pfree(unconstify(char *, list->token.data));
	list->token.data = NULL;
	if (token.data == NULL)
		return;
	hash = hash_bytes_extended((const unsigned char *) token.data,
							   (int) token.length, 0);
	hash_search(list->tokens, &hash, HASH_ENTER, &seen);
	if (seen)
		iotdata_answer_refuse(list->answer, "the same \"nextToken\" came twice");
	list->token.data = MemoryContextStrdup(GetMemoryChunkContext(list), token.data);
	list->token.length = token.length;
}

/* Ask for the list's first page, or the next. */
static void
fetch_page(Listing *list)
{
	bool		first = list->answer == NULL;
	IotDataRequest *request = list->request;
	MemoryContext caller;

	MemoryContextReset(list->page);
	caller = MemoryContextSwitchTo(list->page);
	if (!first)
		request = iotdata_request_next_page(request, list->token);
	list->answer = iotdata_call(&list->target, request);
	list->next = 0;
	if (!list->answer->absent)
	{
		list->items = iotdata_answer_items(list->answer);
		note_token(list, iotdata_answer_next_token(list->answer));
	}
	else if (!first)
		iotdata_answer_refuse(list->answer, "the next page is gone");
	MemoryContextSwitchTo(caller);
}

/* The list's next row, or false at its end. */
static bool
next_row(Listing *list, TupleDesc columns, Datum *row)
{
	IotDataJsonValue item;

	while (list->answer == NULL || list->next >= list->items.length)
	{
		if (list->answer != NULL && list->token.data == NULL)
			return false;
		fetch_page(list);
	}
	item = iotdata_json_element(list->items, list->next++);
	*row = make_row(list->answer, item, columns, CurrentMemoryContext);
	return true;
}

Datum
iotdata_function_list(FunctionCallInfo fcinfo, const IotDataOperation *operation)
{
	IotDataErrorContext errors;
	FuncCallContext *call;
	Listing    *list;
	Datum		row;

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
		errors.subject = list->request->subject;
	if (list == NULL || !next_row(list, call->tuple_desc, &row))
	{
		iotdata_error_context_pop(&errors);
		SRF_RETURN_DONE(call);
	}
	iotdata_error_context_pop(&errors);
	SRF_RETURN_NEXT(call, row);
}
