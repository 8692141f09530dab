/*
 * function_result.c
 *		SQL functions that make a call and return a result: an error that is the
 *		subject's alone is in its columns.
 *
 * The call is a lookup, the only one, so that a function called by itself, a
 * batched join and get_connections agree on which errors those are.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/function.h"
#include "error/raise.h"
#include "funcapi.h"
#include "lookup/result.h"
#include "utils/memutils.h"
#include "utils/regproc.h"

/* The argument that the call is about. */
static NullableDatum
subject_of(FunctionCallInfo fcinfo, const IotDataOperation *operation)
{
	const IotDataArgument *subject = iotdata_operation_argument(operation, IOTDATA_ROLE_SUBJECT);

	return fcinfo->args[subject - operation->arguments];
}

/*
 * Make the call, in the current memory context. Returns the row, in "context";
 * NULL when there is nothing to ask.
 */
static HeapTuple
look_up(FunctionCallInfo fcinfo, const IotDataOperation *operation,
		IotDataLookups *lookups, TupleDesc columns, MemoryContext context)
{
	IotDataLookup *lookup;
	Datum		values[IOTDATA_RESULT_NCOLUMNS];
	bool		nulls[IOTDATA_RESULT_NCOLUMNS];
	MemoryContext caller;
	HeapTuple	row;

	iotdata_lookups_note_rows(lookups, 1);
	lookup = iotdata_lookups_ask(lookups, fcinfo->args);
	if (lookup == NULL)
		return NULL;
	while (!lookup->ended)
		iotdata_lookups_wait(lookups);
	iotdata_lookup_raise(lookup);
	iotdata_result_fill(lookup, subject_of(fcinfo, operation), values, nulls);
	caller = MemoryContextSwitchTo(context);
	row = heap_form_tuple(columns, values, nulls);
	MemoryContextSwitchTo(caller);
	return row;
}

/* What the function returns, and, of it, the answer. */
static TupleDesc
find_columns(FunctionCallInfo fcinfo, TupleDesc *answer)
{
	TupleDesc	columns;

	*answer = NULL;
	if (get_call_result_type(fcinfo, NULL, &columns) == TYPEFUNC_COMPOSITE)
		*answer = iotdata_result_answer(columns);
	if (*answer == NULL)
		iotdata_raise_version(format_procedure(fcinfo->flinfo->fn_oid));
	return columns;
}

Datum
iotdata_function_result(FunctionCallInfo fcinfo, const IotDataOperation *operation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata function",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	IotDataArgumentTypes types;
	TupleDesc	answer;
	TupleDesc	columns = find_columns(fcinfo, &answer);
	IotDataLookups *lookups;
	HeapTuple volatile row = NULL;

	iotdata_argument_types(&types, fcinfo->flinfo->fn_oid, operation);
	lookups = iotdata_lookups_create(operation, &types, answer, NULL, 0);
	PG_TRY();
	{
		row = look_up(fcinfo, operation, lookups, columns, caller);
	}
	PG_FINALLY();
	{
		/* at once: who catches the error may keep the memory for long */
		iotdata_lookups_delete(lookups);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	fcinfo->isnull = row == NULL;
	return row == NULL ? (Datum) 0 : HeapTupleGetDatum(row);
}
