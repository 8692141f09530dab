/*
 * ask.c
 *		Asks about rows of a batched lookup's outer plan.
 */
#include "postgres.h"

#include "join/state.h"
#include "miscadmin.h"

/* What remembers answers, made when the first one is asked for. */
static void
create_lookups(BatchedLookupState *state)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scan.ss.ps.state->es_query_cxt);

	state->lookups = iotdata_lookups_create(state->operation, &state->types, state->columns,
											(Size) work_mem * 1024);
	MemoryContextSwitchTo(caller);
}

/*
 * Look up what the arguments say, for the outer row in the scan's tuple. A
 * required one that is NULL needs no target yet, nor anything to sign with.
 */
static IotDataLookup *
look_up(BatchedLookupState *state)
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

void
iotdata_join_ask(BatchedLookupState *state, OuterRow *row, TupleTableSlot *outer)
{
	ResetExprContext(state->asking);
	iotdata_join_fill_tuple(state, outer, false, state->asking);
	state->asking->ecxt_scantuple = state->scan.ss.ss_ScanTupleSlot;
	row->excluded = !ExecQual(state->condition, state->asking);
	if (!row->excluded && !iotdata_join_is_recheck(&state->scan))
		row->queued.lookup = look_up(state);
}
