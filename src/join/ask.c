/*
 * ask.c
 *		Asks about rows of a batched lookup's outer plan.
 */
#include "postgres.h"

#include "compat.h"
#include "join/state.h"
#include "miscadmin.h"

/* What remembers answers, made when the first one is asked for. */
static void
create_lookups(BatchedLookupState *state)
{
	MemoryContext caller = MemoryContextSwitchTo(state->scan.ss.ps.state->es_query_cxt);

	/* an answer within a row is whole */
	const bool *needed = state->operation->returns_result ? NULL : state->needed;

	state->lookups = iotdata_lookups_create(state->operation, &state->types, state->answer,
											needed, (Size) work_mem * 1024);
	iotdata_lookups_note_rows(state->lookups, state->nread);
	MemoryContextSwitchTo(caller);
}

/* A result has the subject in it, which equal rows do not share. */
static void
keep_subject(BatchedLookupState *state, OuterRow *row)
{
	MemoryContext caller = MemoryContextSwitchTo(state->rows);

	for (int i = 0; i < state->types.count; i++)
	{
		if (state->operation->arguments[i].role == IOTDATA_ROLE_SUBJECT)
			row->subject = PG_DETOAST_DATUM_COPY(state->values[i].value);
	}
	MemoryContextSwitchTo(caller);
	state->memory += VARSIZE(row->subject);
}

static void
look_up(BatchedLookupState *state, OuterRow *row)
{
	if (row->fate != IOTDATA_JOIN_ASKED)
		return;
	if (state->operation->returns_result)
		keep_subject(state, row);
	row->queued.lookup = iotdata_lookups_ask(state->lookups, state->values);
}

void
iotdata_join_ask(BatchedLookupState *state, OuterRow *row, TupleTableSlot *outer)
{
	iotdata_join_evaluate(state, row, outer);
	if (row->fate == IOTDATA_JOIN_ASKED && state->lookups == NULL)
		create_lookups(state);
	look_up(state, row);
}

/*
 * The first row that asks for anything does so in its turn: credentials may
 * have to be waited for, which is not to be done for a row that is perhaps not
 * wanted. No time is lost by that, because the rows before it wait for nothing.
 */
void
iotdata_join_ask_ahead(BatchedLookupState *state, OuterRow *row,
					   TupleTableSlot *outer)
{
	if (!iotdata_join_evaluate_ahead(state, row, outer) ||
		(row->fate == IOTDATA_JOIN_ASKED && state->lookups == NULL))
		row->fate = IOTDATA_JOIN_POSTPONED;
	look_up(state, row);
}
