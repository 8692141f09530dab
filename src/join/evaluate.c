/*
 * evaluate.c
 *		Evaluates what a batched lookup asks for: the condition and the
 *		arguments, for a row of the outer plan.
 *
 * That is done when the row is read, but an error belongs to the row's turn: to
 * be raised after all rows before it, and not at all when the row is never
 * handed on. So an error of a row that is read ahead is dropped, nothing more
 * is read, and when the row's turn comes everything is evaluated once more, and
 * raises what it raises then.
 *
 * A condition that fails is left open: a nested loop checks it with each row of
 * the function, so the error comes with the first of these, if there is one.
 *
 * Expressions have functions of users in them, which leave locks, buffer pins
 * and half-run queries behind when they fail. Only a subtransaction cleans up
 * after them. It costs a microsecond or so, which is little beside a call, and
 * what cannot fail goes without one. Nothing of an expression is used again
 * after an error in it.
 *
 * Sub-selects are not protected so: their plans belong to the query, and hold
 * buffer pins from row to row, which a subtransaction would take away from
 * them; and after an error they could not even be ended as they must. Nor is
 * anything while parallel workers run, where that allows no subtransaction. An
 * error then comes when the row is read.
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "join/state.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* ---- what may fail ---- */

static bool
is_leaky(Oid function, void *context)
{
	return !get_func_leakproof(function);
}

/*
 * Can an expression raise an error? A leakproof function cannot, because that
 * would tell of its arguments. What is not known here may.
 */
static bool
may_fail(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_List:
		case T_Var:
		case T_Const:
		case T_Param:
		case T_RelabelType:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CoalesceExpr:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
			break;
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
			if (check_functions_in_node(node, is_leaky, NULL))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, may_fail, context);
}

/* Collect the numbers of the executor's parameters in an expression. */
static bool
collect_params(Node *node, void *context)
{
	List	  **params = context;

	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*params = list_append_unique_int(*params, ((Param *) node)->paramid);
	return expression_tree_walker(node, collect_params, context);
}

/* Would evaluating run the plan of a sub-select that depends on no row? */
static bool
would_run_subselect(const BatchedLookupState *state)
{
	ListCell   *cell;

	foreach(cell, state->params)
	{
		if (state->asking->ecxt_param_exec_vals[lfirst_int(cell)].execPlan != NULL)
			return true;
	}
	return false;
}

/* ---- begin ---- */

/* New expressions, in their own memory context, with nothing of the old ones. */
static void
make_expressions(BatchedLookupState *state)
{
	PlanState  *parent = &state->scan.ss.ps;
	CustomScan *plan = (CustomScan *) parent->plan;
	MemoryContext caller = MemoryContextSwitchTo(state->expressions);

	state->arguments = ExecInitExprList(state->function->args, parent);
	state->condition = ExecInitQual(list_nth(plan->custom_exprs, IOTDATA_JOIN_CONDITION), parent);
	MemoryContextSwitchTo(caller);
	state->asking = CreateExprContext(parent->state);
}

void
iotdata_join_begin_evaluating(BatchedLookupState *state)
{
	CustomScan *plan = (CustomScan *) state->scan.ss.ps.plan;
	List	   *condition = list_nth(plan->custom_exprs, IOTDATA_JOIN_CONDITION);
	List	   *all = list_make2(state->function->args, condition);

	state->expressions = AllocSetContextCreate(CurrentMemoryContext,
											   "iotdata lookup expressions",
											   ALLOCSET_SMALL_SIZES);
	state->values = palloc0(IOTDATA_MAX_ARGUMENTS * sizeof(NullableDatum));
	if (!contain_subplans((Node *) all))
	{
		state->may_condition_fail = may_fail((Node *) condition, NULL);
		state->may_fail = may_fail((Node *) all, NULL);
	}
	collect_params((Node *) all, &state->params);
	make_expressions(state);
}

/* After an error. What still waits to be shut down is left as it is. */
static void
renew_expressions(BatchedLookupState *state)
{
	FreeExprContext(state->asking, false);
	MemoryContextReset(state->expressions);
	make_expressions(state);
}

/* ---- evaluate ---- */

typedef void (*Evaluation) (BatchedLookupState *state, OuterRow *row);

/*
 * Evaluate the arguments. Returns false when a required one is NULL: then there
 * is nothing to ask.
 */
static bool
evaluate_arguments(BatchedLookupState *state)
{
	ListCell   *cell;
	int			i = 0;

	foreach(cell, state->arguments)
	{
		state->values[i].value = ExecEvalExprSwitchContext(lfirst(cell), state->asking,
														   &state->values[i].isnull);
		if (state->values[i].isnull && state->operation->arguments[i].required)
			return false;
		i++;
	}
	return true;
}

static void
evaluate_condition(BatchedLookupState *state, OuterRow *row)
{
	state->asking->ecxt_scantuple = state->scan.ss.ss_ScanTupleSlot;
	row->fate = ExecQual(state->condition, state->asking) ?
		IOTDATA_JOIN_NOT_ASKED : IOTDATA_JOIN_EXCLUDED;
}

/* With the condition evaluated. */
static void
evaluate_question(BatchedLookupState *state, OuterRow *row)
{
	state->asking->ecxt_scantuple = state->scan.ss.ss_ScanTupleSlot;
	if (row->fate == IOTDATA_JOIN_NOT_ASKED && !iotdata_join_is_recheck(&state->scan) &&
		evaluate_arguments(state))
		row->fate = IOTDATA_JOIN_ASKED;
}

static void
evaluate_both(BatchedLookupState *state, OuterRow *row)
{
	evaluate_condition(state, row);
	evaluate_question(state, row);
}

/* Evaluate in a subtransaction. Returns whether there was an error. */
static bool
fails(Evaluation evaluate, BatchedLookupState *state, OuterRow *row)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		evaluate(state, row);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return false;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	FreeErrorData(error);
	renew_expressions(state);
	return true;
}

static bool
can_protect(const BatchedLookupState *state)
{
	return iotdata_may_begin_subtransaction() && !would_run_subselect(state);
}

static void
prepare(BatchedLookupState *state, TupleTableSlot *outer)
{
	ResetExprContext(state->asking);
	iotdata_join_fill_tuple(state, outer, false, state->asking);
}

void
iotdata_join_evaluate(BatchedLookupState *state, OuterRow *row, TupleTableSlot *outer)
{
	prepare(state, outer);
	if (!state->may_condition_fail || !can_protect(state))
		evaluate_condition(state, row);
	else if (fails(evaluate_condition, state, row))
	{
		row->is_condition_open = true;
		row->fate = IOTDATA_JOIN_NOT_ASKED;
	}
	evaluate_question(state, row);
}

bool
iotdata_join_evaluate_ahead(BatchedLookupState *state, OuterRow *row,
							TupleTableSlot *outer)
{
	prepare(state, outer);
	if (state->may_fail && can_protect(state))
		return !fails(evaluate_both, state, row);
	evaluate_both(state, row);
	return true;
}
