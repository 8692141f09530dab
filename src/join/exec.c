/*
 * exec.c
 *		Runs batched lookups.
 *
 * Rows of the outer plan are read ahead of those that are handed on, and each
 * is asked about at once; they wait in a ring until their answers are there,
 * and leave it in their order. How far ahead:
 *   - as long as the lookups have room for another call;
 *   - no more than the ring takes, nor than half of work_mem holds;
 *   - when perhaps not all rows are wanted (a LIMIT, a cursor): in batches that
 *     double, and the next one begins when all of one was handed on. When they
 *     would be as large as the ring, that ends.
 *
 * Memory: the ring's rows are in "rows", freed one by one; answers belong to
 * the lookups, which remember those that no row refers to within work_mem;
 * everything about one row of the result is in the node's per-tuple context.
 * All of it is below the query's context, so that an error leaves nothing.
 *
 * A rescan throws the ring away, but not the answers: within one statement
 * equal arguments have one answer.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "funcapi.h"
#include "join/join.h"
#include "lookup/lookup.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* A row of the outer plan that was not handed on yet. */
typedef struct Pending
{
	MinimalTuple row;
	IotDataLookup *lookup;		/* NULL: not asked about */
	bool		excluded;		/* the condition does not hold: no row joins
								 * it */
} Pending;

typedef struct BatchedLookupState
{
	CustomScanState scan;		/* must be first */

	/* the plan */
	PlanState  *outer;
	FuncExpr   *function;
	const IotDataOperation *operation;
	JoinType	type;
	int			ncolumns;
	IotDataColumnSource *sources;
	int		   *numbers;
	List	   *arguments;		/* ExprStates */
	ExprState  *condition;
	ExprState  *filter;
	List	   *inner;			/* ExprStates */

	/* asking */
	ExprContext *asking;		/* for conditions and arguments of outer rows */
	NullableDatum *values;		/* of the arguments */
	IotDataLookups *lookups;	/* NULL: nothing was asked yet */
	MemoryContext rows;
	Pending    *ring;
	int			size;
	int			first;
	int			count;
	Size		memory;			/* of the ring's rows */
	bool		finished;		/* the outer plan has no more rows */
	int64		batch;			/* rows of this batch; 0: no batches */
	int64		allowed;		/* rows of it that were not read yet */

	/* handing on */
	bool		has_current;
	Pending		current;
	TupleTableSlot *outer_slot;
	TupleTableSlot *recheck_slot;	/* a row of the function that is given */
	int			next;			/* row of the current lookup */
	bool		matched;
	TupleDesc	columns;		/* of the function */
	Datum	   *function_values;	/* the current row of the function */
	bool	   *function_nulls;
	int64		filtered;
} BatchedLookupState;

static Node *create_state(CustomScan *scan);
static void begin_lookup(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *next_tuple(CustomScanState *node);
static void end_lookup(CustomScanState *node);
static void rescan_lookup(CustomScanState *node);

const CustomScanMethods iotdata_join_scan_methods = {
	.CustomName = IOTDATA_JOIN_NAME,
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = IOTDATA_JOIN_NAME,
	.BeginCustomScan = begin_lookup,
	.ExecCustomScan = next_tuple,
	.EndCustomScan = end_lookup,
	.ReScanCustomScan = rescan_lookup,
	.ExplainCustomScan = iotdata_join_explain
};

static Node *
create_state(CustomScan *scan)
{
	BatchedLookupState *state = (BatchedLookupState *) newNode(sizeof(BatchedLookupState), T_CustomScanState);

	state->scan.methods = &exec_methods;
	return (Node *) state;
}

/* ---- begin and end ---- */

static void
check_privilege(Oid function)
{
	AclResult	result = iotdata_can_execute(function);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

static void
read_plan(BatchedLookupState *state)
{
	CustomScan *plan = (CustomScan *) state->scan.ss.ps.plan;
	List	   *sources = list_nth(plan->custom_private, IOTDATA_JOIN_SOURCES);
	List	   *numbers = list_nth(plan->custom_private, IOTDATA_JOIN_NUMBERS);

	state->type = intVal(list_nth(plan->custom_private, IOTDATA_JOIN_TYPE));
	state->batch = intVal(list_nth(plan->custom_private, IOTDATA_JOIN_FIRST_BATCH));
	state->allowed = state->batch;
	state->ncolumns = list_length(sources);
	state->sources = palloc(state->ncolumns * sizeof(*state->sources));
	state->numbers = palloc(state->ncolumns * sizeof(*state->numbers));
	for (int i = 0; i < state->ncolumns; i++)
	{
		state->sources[i] = list_nth_int(sources, i);
		state->numbers[i] = list_nth_int(numbers, i);
	}
	state->function = list_nth_node(FuncExpr, plan->custom_exprs, IOTDATA_JOIN_FUNCTION);
	state->operation = iotdata_join_operation(state->function->funcid);
	state->columns = lookup_rowtype_tupdesc_copy(state->function->funcresulttype, -1);
	state->function_values = palloc0(state->columns->natts * sizeof(Datum));
	state->function_nulls = palloc0(state->columns->natts * sizeof(bool));
}

static void
prepare_expressions(BatchedLookupState *state)
{
	CustomScan *plan = (CustomScan *) state->scan.ss.ps.plan;
	PlanState  *parent = &state->scan.ss.ps;

	state->arguments = ExecInitExprList(state->function->args, parent);
	state->values = palloc0(list_length(state->arguments) * sizeof(NullableDatum));
	state->condition = ExecInitQual(list_nth(plan->custom_exprs, IOTDATA_JOIN_CONDITION), parent);
	state->filter = ExecInitQual(list_nth(plan->custom_exprs, IOTDATA_JOIN_FILTER), parent);
	state->inner = ExecInitExprList(list_nth(plan->custom_exprs, IOTDATA_JOIN_INNER), parent);
}

static void
begin_lookup(CustomScanState *node, EState *estate, int eflags)
{
	BatchedLookupState *state = (BatchedLookupState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	state->outer = ExecInitNode(linitial(plan->custom_plans), estate, eflags);
	node->custom_ps = list_make1(state->outer);
	read_plan(state);
	/* for EXPLAIN too, as a function scan does */
	check_privilege(state->function->funcid);
	prepare_expressions(state);
	state->asking = CreateExprContext(estate);
	state->rows = AllocSetContextCreate(estate->es_query_cxt, "iotdata outer rows",
										ALLOCSET_DEFAULT_SIZES);
	state->outer_slot = iotdata_alloc_table_slot(&estate->es_tupleTable,
												 ExecGetResultType(state->outer),
												 &TTSOpsMinimalTuple);
	state->recheck_slot = iotdata_alloc_table_slot(&estate->es_tupleTable,
												   state->columns, &TTSOpsVirtual);
	state->size = iotdata_lookups_max_pending();
	state->ring = palloc0(state->size * sizeof(Pending));
}

static void
end_lookup(CustomScanState *node)
{
	BatchedLookupState *state = (BatchedLookupState *) node;

	if (state->lookups != NULL)
		iotdata_lookups_delete(state->lookups);
	state->lookups = NULL;
	ExecEndNode(state->outer);
}

static void
drop_pending(BatchedLookupState *state, Pending *pending)
{
	if (pending->lookup != NULL)
		iotdata_lookup_release(pending->lookup);
	pfree(pending->row);
}

static void
rescan_lookup(CustomScanState *node)
{
	BatchedLookupState *state = (BatchedLookupState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	ExecClearTuple(state->outer_slot);
	if (state->has_current)
		drop_pending(state, &state->current);
	state->has_current = false;
	for (; state->count > 0; state->count--)
	{
		drop_pending(state, &state->ring[state->first]);
		state->first = (state->first + 1) % state->size;
	}
	state->memory = 0;
	state->finished = false;
	state->batch = intVal(list_nth(plan->custom_private, IOTDATA_JOIN_FIRST_BATCH));
	state->allowed = state->batch;
	if (node->ss.ps.chgParam != NULL)
		UpdateChangedParamSet(state->outer, node->ss.ps.chgParam);
	if (state->outer->chgParam == NULL)
		ExecReScan(state->outer);
}

/* ---- the tuple ---- */

static Datum
row_datum(BatchedLookupState *state)
{
	return HeapTupleGetDatum(heap_form_tuple(state->columns, state->function_values,
											 state->function_nulls));
}

static void
fill_inner_expressions(BatchedLookupState *state, ExprContext *context)
{
	TupleTableSlot *slot = state->scan.ss.ss_ScanTupleSlot;

	if (state->inner == NIL)
		return;
	context->ecxt_scantuple = slot;
	for (int i = 0; i < state->ncolumns; i++)
	{
		if (state->sources[i] == IOTDATA_COLUMN_EXPRESSION)
			slot->tts_values[i] = ExecEvalExprSwitchContext(list_nth(state->inner, state->numbers[i]),
															context, &slot->tts_isnull[i]);
	}
}

/*
 * Fill the scan's tuple from a row of the outer plan and, "with_function", the
 * function's current one; without, its columns are NULL.
 */
static void
fill_tuple(BatchedLookupState *state, TupleTableSlot *outer, bool with_function,
		   ExprContext *context)
{
	TupleTableSlot *slot = state->scan.ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	slot_getallattrs(outer);
	for (int i = 0; i < state->ncolumns; i++)
	{
		int			number = state->numbers[i];

		slot->tts_values[i] = (Datum) 0;
		slot->tts_isnull[i] = true;
		if (state->sources[i] == IOTDATA_COLUMN_OUTER)
		{
			slot->tts_values[i] = outer->tts_values[number - 1];
			slot->tts_isnull[i] = outer->tts_isnull[number - 1];
		}
		else if (with_function && state->sources[i] == IOTDATA_COLUMN_FUNCTION)
		{
			slot->tts_values[i] = state->function_values[number - 1];
			slot->tts_isnull[i] = state->function_nulls[number - 1];
		}
		else if (with_function && state->sources[i] == IOTDATA_COLUMN_ROW)
		{
			MemoryContext caller = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);

			slot->tts_values[i] = row_datum(state);
			slot->tts_isnull[i] = false;
			MemoryContextSwitchTo(caller);
		}
	}
	ExecStoreVirtualTuple(slot);
	if (with_function)
		fill_inner_expressions(state, context);
}

/* ---- asking ---- */

/* What remembers answers, made when the first one is asked for. */
static void
create_lookups(BatchedLookupState *state)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scan.ss.ps.state->es_query_cxt);
	IotDataArgumentTypes types;

	iotdata_argument_types(&types, state->function->funcid, state->operation);
	state->lookups = iotdata_lookups_create(state->operation, &types, state->columns,
											(Size) work_mem * 1024);
	MemoryContextSwitchTo(caller);
}

/*
 * Ask about the outer row that is in the scan's tuple. A required argument that
 * is NULL needs no target yet, nor anything to sign with.
 */
static IotDataLookup *
ask(BatchedLookupState *state)
{
	ListCell   *cell;
	int			i = 0;

	foreach(cell, state->arguments)
	{
		state->values[i].value = ExecEvalExprSwitchContext(lfirst(cell), state->asking,
														   &state->values[i].isnull);
		if (state->values[i].isnull && state->operation->arguments[i].required)
			return NULL;
		i++;
	}
	if (state->lookups == NULL)
		create_lookups(state);
	return iotdata_lookups_ask(state->lookups, state->values);
}

/* Read one more outer row, and ask about it. */
static void
read_row(BatchedLookupState *state)
{
	TupleTableSlot *outer = ExecProcNode(state->outer);
	Pending    *pending = &state->ring[(state->first + state->count) % state->size];
	MemoryContext caller;

	if (TupIsNull(outer))
	{
		state->finished = true;
		return;
	}
	ResetExprContext(state->asking);
	fill_tuple(state, outer, false, state->asking);
	state->asking->ecxt_scantuple = state->scan.ss.ss_ScanTupleSlot;
	pending->excluded = !ExecQual(state->condition, state->asking);
	pending->lookup = NULL;
	if (!pending->excluded && !iotdata_join_is_recheck(&state->scan))
		pending->lookup = ask(state);
	caller = MemoryContextSwitchTo(state->rows);
	pending->row = ExecCopySlotMinimalTuple(outer);
	MemoryContextSwitchTo(caller);
	state->memory += pending->row->t_len;
	state->count++;
	state->allowed -= state->batch > 0;
}

/* May another row be read now? */
static bool
may_read(const BatchedLookupState *state)
{
	return !state->finished && state->count < state->size &&
		(state->batch == 0 || state->allowed > 0) &&
		(state->count == 0 || state->memory < (Size) work_mem * 1024 / 2) &&
		(state->lookups == NULL || iotdata_lookups_have_room(state->lookups));
}

/*
 * Is there nothing to wait for before the first row is handed on, or none is
 * left? (There can be rows left and none pending, when the calls of an earlier
 * scan are still under way and leave no room.)
 */
static bool
is_first_ready(const BatchedLookupState *state)
{
	const Pending *first = &state->ring[state->first];

	if (state->count == 0)
		return state->finished;
	return first->lookup == NULL || first->lookup->ended;
}

/*
 * Is the first row ready, with nothing under way that reading on would give
 * company? Then it need not wait for others.
 */
static bool
may_hand_on(const BatchedLookupState *state)
{
	return state->count > 0 && is_first_ready(state) &&
		(state->lookups == NULL || !iotdata_lookups_are_under_way(state->lookups));
}

/* All of a batch was handed on: the next one has twice as many rows. */
static void
begin_batch(BatchedLookupState *state)
{
	if (state->batch == 0 || state->allowed > 0 || state->count > 0)
		return;
	state->batch *= 2;
	if (state->batch >= state->size)
		state->batch = 0;
	state->allowed = state->batch;
}

static void
read_ahead(BatchedLookupState *state)
{
	begin_batch(state);
	while (may_read(state) && !may_hand_on(state))
		read_row(state);
}

/* ---- handing on ---- */

/* The first pending row becomes the current one, when its answer is there. */
static bool
take_row(BatchedLookupState *state)
{
	read_ahead(state);
	while (!is_first_ready(state))
	{
		iotdata_lookups_wait(state->lookups);
		read_ahead(state);
	}
	if (state->count == 0)
		return false;
	state->current = state->ring[state->first];
	state->first = (state->first + 1) % state->size;
	state->count--;
	state->memory -= state->current.row->t_len;
	state->has_current = true;
	state->next = 0;
	state->matched = false;
	ExecStoreMinimalTuple(state->current.row, state->outer_slot, false);
	if (state->current.lookup != NULL)
		iotdata_lookup_raise(state->current.lookup);
	return true;
}

static void
leave_row(BatchedLookupState *state)
{
	ExecClearTuple(state->outer_slot);
	ExecClearTuple(state->scan.ss.ss_ScanTupleSlot);
	drop_pending(state, &state->current);
	state->has_current = false;
}

/* The function's row that is given, once. */
static bool
next_recheck_row(BatchedLookupState *state)
{
	if (state->next++ > 0 || !iotdata_join_recheck_row(&state->scan, state->recheck_slot))
		return false;
	memcpy(state->function_values, state->recheck_slot->tts_values,
		   state->columns->natts * sizeof(Datum));
	memcpy(state->function_nulls, state->recheck_slot->tts_isnull,
		   state->columns->natts * sizeof(bool));
	return true;
}

/*
 * The current lookup's next row of the function. A function that does not
 * return a set has one row in any case, of NULLs if need be, as a function
 * scan has it.
 */
static bool
next_function_row(BatchedLookupState *state)
{
	const IotDataLookup *lookup = state->current.lookup;

	if (state->current.excluded)
		return false;
	if (iotdata_join_is_recheck(&state->scan))
		return next_recheck_row(state);
	if (lookup != NULL && state->next < lookup->nrows)
	{
		heap_deform_tuple(lookup->rows[state->next], state->columns,
						  state->function_values, state->function_nulls);
		state->next++;
		return true;
	}
	if (state->function->funcretset || state->next > 0)
		return false;
	memset(state->function_nulls, true, state->columns->natts * sizeof(bool));
	state->next++;
	return true;
}

/* The next joined row of the current outer row, in the scan's tuple. */
static bool
join_row(BatchedLookupState *state)
{
	ExprContext *context = state->scan.ss.ps.ps_ExprContext;

	/* one match decides a semi or an anti join */
	while (!(state->matched && (state->type == JOIN_SEMI || state->type == JOIN_ANTI)) &&
		   next_function_row(state))
	{
		ResetExprContext(context);
		fill_tuple(state, state->outer_slot, true, context);
		context->ecxt_scantuple = state->scan.ss.ss_ScanTupleSlot;
		if (ExecQual(state->filter, context))
		{
			state->matched = true;
			if (state->type != JOIN_ANTI)
				return true;
		}
		else
			state->filtered++;
	}
	if (!IS_OUTER_JOIN(state->type) || state->matched)
		return false;
	state->matched = true;
	ResetExprContext(context);
	fill_tuple(state, state->outer_slot, false, context);
	context->ecxt_scantuple = state->scan.ss.ss_ScanTupleSlot;
	return true;
}

static TupleTableSlot *
next_tuple(CustomScanState *node)
{
	BatchedLookupState *state = (BatchedLookupState *) node;
	PlanState  *plan = &node->ss.ps;

	for (;;)
	{
		if (!state->has_current && !take_row(state))
			return NULL;
		if (!join_row(state))
		{
			leave_row(state);
			continue;
		}
		if (!ExecQual(plan->qual, plan->ps_ExprContext))
		{
			InstrCountFiltered1(node, 1);
			continue;
		}
		return plan->ps_ProjInfo != NULL ? ExecProject(plan->ps_ProjInfo) : node->ss.ss_ScanTupleSlot;
	}
}

IotDataJoinCounts
iotdata_join_counts(const CustomScanState *node)
{
	const BatchedLookupState *state = (const BatchedLookupState *) node;
	IotDataLookupCounts lookups = {0};
	IotDataJoinCounts counts;

	if (state->lookups != NULL)
		lookups = iotdata_lookups_counts(state->lookups);
	counts.calls = lookups.calls;
	counts.cache_hits = lookups.cache_hits;
	counts.duplicates = lookups.duplicates;
	counts.retries = lookups.retries;
	counts.rate_wait = lookups.rate_wait;
	counts.filtered = state->filtered;
	return counts;
}
