/*
 * exec.c
 *		Runs batched lookups.
 *
 * The outer plan's rows are read ahead of those that are handed on (ahead.c),
 * and each is asked about at once (ask.c, evaluate.c). They are handed on in their order,
 * each joined with the rows of its answer, as a nested loop would.
 *
 * Memory: the queue's rows are in "rows", freed one by one; answers belong to
 * the lookups, which remember those that no row refers to within work_mem;
 * everything about one row of the result is in the node's per-tuple context.
 * All of it is below the query's context, so that an error leaves nothing.
 *
 * A rescan throws the queue away, but not the answers: within one statement
 * equal arguments have one answer.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "join/state.h"
#include "lookup/result.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

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

/* The query needs what is in the tuple; the function's whole row has all. */
static void
note_needed_columns(BatchedLookupState *state)
{
	state->needed = palloc0(state->columns->natts * sizeof(bool));
	for (int i = 0; i < state->ncolumns; i++)
	{
		if (state->sources[i] == IOTDATA_COLUMN_FUNCTION)
			state->needed[state->numbers[i] - 1] = true;
		else if (state->sources[i] == IOTDATA_COLUMN_ROW)
			memset(state->needed, true, state->columns->natts * sizeof(bool));
	}
}

static void
read_plan(BatchedLookupState *state)
{
	CustomScan *plan = (CustomScan *) state->scan.ss.ps.plan;
	List	   *sources = list_nth(plan->custom_private, IOTDATA_JOIN_SOURCES);
	List	   *numbers = list_nth(plan->custom_private, IOTDATA_JOIN_NUMBERS);

	state->type = intVal(list_nth(plan->custom_private, IOTDATA_JOIN_TYPE));
	state->ncolumns = list_length(sources);
	state->sources = palloc(state->ncolumns * sizeof(*state->sources));
	state->numbers = palloc(state->ncolumns * sizeof(*state->numbers));
	for (int i = 0; i < state->ncolumns; i++)
	{
		state->sources[i] = list_nth_int(sources, i);
		state->numbers[i] = list_nth_int(numbers, i);
	}
	state->function = list_nth_node(FuncExpr, plan->custom_exprs, IOTDATA_JOIN_FUNCTION);
	iotdata_join_check(state);
	note_needed_columns(state);
	state->function_values = palloc0(state->columns->natts * sizeof(Datum));
	state->function_nulls = palloc0(state->columns->natts * sizeof(bool));
}

static void
prepare_expressions(BatchedLookupState *state)
{
	CustomScan *plan = (CustomScan *) state->scan.ss.ps.plan;
	PlanState  *parent = &state->scan.ss.ps;

	iotdata_join_begin_evaluating(state);
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
	state->rows = AllocSetContextCreate(estate->es_query_cxt, "iotdata outer rows",
										ALLOCSET_DEFAULT_SIZES);
	state->outer_slot = iotdata_alloc_table_slot(&estate->es_tupleTable,
												 ExecGetResultType(state->outer),
												 &TTSOpsMinimalTuple);
	state->recheck_slot = iotdata_alloc_table_slot(&estate->es_tupleTable,
												   state->columns, &TTSOpsVirtual);
	state->queue = iotdata_queue_create(sizeof(OuterRow));
	iotdata_join_begin_reading(state);
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
rescan_lookup(CustomScanState *node)
{
	BatchedLookupState *state = (BatchedLookupState *) node;

	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	ExecClearTuple(state->outer_slot);
	iotdata_join_begin_reading(state);
	if (node->ss.ps.chgParam != NULL)
		UpdateChangedParamSet(state->outer, node->ss.ps.chgParam);
	if (state->outer->chgParam == NULL)
		ExecReScan(state->outer);
}

/* ---- handing on ---- */

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

/* The current lookup's result. */
static void
fill_result(BatchedLookupState *state)
{
	NullableDatum subject = {PointerGetDatum(state->current->subject), false};
	MemoryContext caller = MemoryContextSwitchTo(state->scan.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);

	iotdata_result_fill(state->current->queued.lookup, subject, state->function_values,
						state->function_nulls);
	MemoryContextSwitchTo(caller);
}

/* The current lookup's next row, if it has one. */
static bool
next_answer_row(BatchedLookupState *state)
{
	const IotDataLookup *lookup = state->current->queued.lookup;

	if (lookup == NULL)
		return false;
	if (state->operation->returns_result)
	{
		if (state->next > 0)
			return false;
		fill_result(state);
	}
	else if (state->next < lookup->nrows)
		iotdata_lookup_row(lookup, state->next, state->function_values, state->function_nulls);
	else
		return false;
	state->next++;
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
	ResetExprContext(state->scan.ss.ps.ps_ExprContext);
	if (state->current->fate == IOTDATA_JOIN_EXCLUDED)
		return false;
	if (iotdata_join_is_recheck(&state->scan))
		return next_recheck_row(state);
	if (next_answer_row(state))
		return true;
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
		iotdata_join_fill_tuple(state, state->outer_slot, true, context);
		context->ecxt_scantuple = state->scan.ss.ss_ScanTupleSlot;
		if (ExecQual(state->filter, context) &&
			(!state->current->is_condition_open || ExecQual(state->condition, context)))
		{
			state->matched = true;
			if (state->type == JOIN_ANTI)
				continue;
			iotdata_join_fill_expressions(state, context);
			return true;
		}
		else
			state->filtered++;
	}
	if (!IS_OUTER_JOIN(state->type) || state->matched)
		return false;
	state->matched = true;
	iotdata_join_fill_tuple(state, state->outer_slot, false, context);
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
		if (state->current == NULL && !iotdata_join_take_row(state))
			return NULL;
		if (!join_row(state))
		{
			iotdata_join_leave_row(state);
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
