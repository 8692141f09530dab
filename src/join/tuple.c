/*
 * tuple.c
 *		The tuple of a batched lookup: columns of the outer row, of the
 *		function's row, and expressions over both.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "join/state.h"

static Datum
row_datum(BatchedLookupState *state)
{
	return HeapTupleGetDatum(heap_form_tuple(state->columns, state->function_values,
											 state->function_nulls));
}

void
iotdata_join_fill_tuple(BatchedLookupState *state, TupleTableSlot *outer,
						bool with_function, ExprContext *context)
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
}

/* For a row that fulfils the filter, which keeps others away from them. */
void
iotdata_join_fill_expressions(BatchedLookupState *state, ExprContext *context)
{
	TupleTableSlot *slot = state->scan.ss.ss_ScanTupleSlot;

	for (int i = 0; i < state->ncolumns; i++)
	{
		if (state->sources[i] == IOTDATA_COLUMN_EXPRESSION)
			slot->tts_values[i] = ExecEvalExprSwitchContext(list_nth(state->inner, state->numbers[i]),
															context, &slot->tts_isnull[i]);
	}
}
