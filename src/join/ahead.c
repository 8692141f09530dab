/*
 * ahead.c
 *		Reads ahead of the rows that a batched lookup hands on.
 *
 * Rows of the outer plan are read ahead of those that are handed on, and each
 * is asked about at once; they wait in a queue until their answers are there,
 * and leave it in their order. How far ahead:
 *   - as long as the lookups have room for another call;
 *   - no more than the queue takes, nor than half of work_mem holds;
 *   - when perhaps not all rows are wanted (a LIMIT, a cursor): in batches that
 *     double, and the next one begins when all of one was handed on. When they
 *     would be as large as the queue, that ends;
 *   - no further than a row that cannot be asked about before its turn (ask.c,
 *     evaluate.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "join/state.h"
#include "miscadmin.h"

static void
remove_first(BatchedLookupState *state)
{
	OuterRow   *row = iotdata_queue_first(state->queue);

	state->memory -= row->tuple->t_len;
	pfree(row->tuple);
	if (row->subject != NULL)
	{
		state->memory -= VARSIZE(row->subject);
		pfree(row->subject);
	}
	iotdata_queue_remove_first(state->queue);
}

void
iotdata_join_begin_reading(BatchedLookupState *state)
{
	CustomScan *plan = (CustomScan *) state->scan.ss.ps.plan;

	while (!iotdata_queue_is_empty(state->queue))
		remove_first(state);
	state->current = NULL;
	state->finished = false;
	state->is_held_up = false;
	state->batch = intVal(list_nth(plan->custom_private, IOTDATA_JOIN_FIRST_BATCH));
	state->allowed = state->batch;
}

static bool
has_room(const BatchedLookupState *state)
{
	return state->lookups == NULL || iotdata_lookups_have_room(state->lookups);
}

/* Read one more outer row, and ask about it. */
static void
read_row(BatchedLookupState *state)
{
	TupleTableSlot *outer = ExecProcNode(state->outer);
	bool		is_first = iotdata_queue_is_empty(state->queue);
	OuterRow   *row;
	MemoryContext caller;

	if (TupIsNull(outer))
	{
		state->finished = true;
		return;
	}
	caller = MemoryContextSwitchTo(state->rows);
	row = iotdata_queue_add(state->queue);
	row->tuple = ExecCopySlotMinimalTuple(outer);
	MemoryContextSwitchTo(caller);
	state->memory += row->tuple->t_len;
	state->allowed -= state->batch > 0;
	state->nread++;
	if (state->lookups != NULL)
		iotdata_lookups_note_rows(state->lookups, state->nread);
	if (is_first)
		iotdata_join_ask(state, row, outer);
	else
		iotdata_join_ask_ahead(state, row, outer);
	state->is_held_up = row->fate == IOTDATA_JOIN_POSTPONED;
}

/* If the queue's first row is postponed, ask about it: its turn has come. */
static void
ask_postponed(BatchedLookupState *state)
{
	OuterRow   *first = iotdata_queue_first(state->queue);

	if (first == NULL || first->fate != IOTDATA_JOIN_POSTPONED || !has_room(state))
		return;
	ExecStoreMinimalTuple(first->tuple, state->outer_slot, false);
	iotdata_join_ask(state, first, state->outer_slot);
	state->is_held_up = false;
}

/* May another row be read now? */
static bool
may_read(const BatchedLookupState *state)
{
	return !state->finished && !state->is_held_up && !iotdata_queue_is_full(state->queue) &&
		(state->batch == 0 || state->allowed > 0) &&
		(iotdata_queue_is_empty(state->queue) || state->memory < (Size) work_mem * 1024 / 2) &&
		has_room(state);
}

static bool
is_first_ready(const BatchedLookupState *state)
{
	const OuterRow *first = iotdata_queue_first(state->queue);

	return iotdata_queue_is_first_ready(state->queue) && first->fate != IOTDATA_JOIN_POSTPONED;
}

/*
 * Is there nothing to wait for, because the first row is ready or none is left?
 * (There can be rows left and none in the queue, when the calls of an earlier
 * scan are still under way and leave no room.)
 */
static bool
is_ready(const BatchedLookupState *state)
{
	return is_first_ready(state) ||
		(state->finished && iotdata_queue_is_empty(state->queue));
}

/*
 * Is the first row ready, with nothing under way that reading on would give
 * company? Then it need not wait for others.
 */
static bool
may_hand_on(const BatchedLookupState *state)
{
	return is_first_ready(state) &&
		(state->lookups == NULL || !iotdata_lookups_are_under_way(state->lookups));
}

/* All of a batch was handed on: the next one has twice as many rows. */
static void
begin_batch(BatchedLookupState *state)
{
	if (state->batch == 0 || state->allowed > 0 || !iotdata_queue_is_empty(state->queue))
		return;
	state->batch *= 2;
	if (state->batch >= iotdata_queue_size(state->queue))
		state->batch = 0;
	state->allowed = state->batch;
}

static void
read_ahead(BatchedLookupState *state)
{
	ask_postponed(state);
	begin_batch(state);
	while (may_read(state) && !may_hand_on(state))
		read_row(state);
}

bool
iotdata_join_take_row(BatchedLookupState *state)
{
	read_ahead(state);
	while (!is_ready(state))
	{
		iotdata_lookups_wait(state->lookups);
		read_ahead(state);
	}
	state->current = iotdata_queue_first(state->queue);
	if (state->current == NULL)
		return false;
	state->next = 0;
	state->matched = false;
	ExecStoreMinimalTuple(state->current->tuple, state->outer_slot, false);
	if (state->current->queued.lookup != NULL)
		iotdata_lookup_raise(state->current->queued.lookup);
	return true;
}

void
iotdata_join_leave_row(BatchedLookupState *state)
{
	ExecClearTuple(state->outer_slot);
	ExecClearTuple(state->scan.ss.ss_ScanTupleSlot);
	remove_first(state);
	state->current = NULL;
}
