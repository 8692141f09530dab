/*
 * check.c
 *		What a plan takes for granted of the catalogs, looked at once more.
 *
 * PostgreSQL plans a statement again when an object that its plan depends on
 * has changed since. But nothing is locked, and a change can come after that
 * look and before the plan is run: the statements of a rule are planned
 * together and run one after the other, and the planner itself runs functions.
 */
#include "postgres.h"

#include "compat.h"
#include "error/raise.h"
#include "join/state.h"
#include "lookup/result.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/typcache.h"

pg_noreturn static void
raise_changed(const char *object, const char *name)
{
	IotDataFailure failure = {
		.sqlstate = ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
		.message = psprintf("%s %s has changed since the query was planned", object, name),
		.hint = "Run the query again."
	};

	iotdata_raise(&failure);
}

/* The function still stands for the operation, and takes these arguments. */
static void
check_function(BatchedLookupState *state, const char *operation)
{
	Oid			function = state->function->funcid;

	state->operation = iotdata_join_operation(function);
	if (state->operation == NULL ||
		strcmp(state->operation->name, operation) != 0 ||
		get_func_rettype(function) != state->function->funcresulttype)
		raise_changed("function", format_procedure(function));
	iotdata_argument_types(&state->types, function, state->operation);
	if (state->types.count != list_length(state->function->args))
		raise_changed("function", format_procedure(function));
}

/* Its row still has the columns that are needed. */
static void
check_columns(const BatchedLookupState *state)
{
	const CustomScan *plan = (const CustomScan *) state->scan.ss.ps.plan;

	for (int i = 0; i < state->ncolumns; i++)
	{
		const TargetEntry *entry = list_nth(plan->custom_scan_tlist, i);
		int			number = state->numbers[i];
		Form_pg_attribute column;

		if (state->sources[i] != IOTDATA_COLUMN_FUNCTION)
			continue;
		column = number <= state->columns->natts ?
			TupleDescAttr(state->columns, number - 1) : NULL;
		if (column == NULL || column->attisdropped ||
			column->atttypid != exprType((const Node *) entry->expr))
			raise_changed("type", format_type_be(state->function->funcresulttype));
	}
}

void
iotdata_join_check(BatchedLookupState *state)
{
	const CustomScan *plan = (const CustomScan *) state->scan.ss.ps.plan;

	check_function(state, strVal(list_nth(plan->custom_private, IOTDATA_JOIN_OPERATION)));
	state->columns = lookup_rowtype_tupdesc_copy(state->function->funcresulttype, -1);
	check_columns(state);
	state->answer = state->operation->returns_result ?
		iotdata_result_answer(state->columns) : state->columns;
	if (state->answer == NULL)
		raise_changed("type", format_type_be(state->function->funcresulttype));
}
