/*
 * trigger.c
 *		The trigger function that queues messages for rows.
 *
 * It is fired for each row, or for each statement with a transition table: then
 * there is a message for each of that table's rows. What the message is like
 * the trigger's arguments say (template.h). The message is the table's owner's:
 * a role that changes a row needs no privilege for what follows from that.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "outbox/queue.h"
#include "outbox/template.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(iotdata_queue_direct_message_trigger);

/* What a trigger keeps from one row to the next, of one statement. */
typedef struct Queueing
{
	const IotDataMessageTemplate *template;
	MemoryContext scratch;
} Queueing;

static void
tell_context(void *arg)
{
	const TriggerData *trigger = arg;

	errcontext("trigger \"%s\" of table \"%s\"", trigger->tg_trigger->tgname,
			   RelationGetRelationName(trigger->tg_relation));
}

static Queueing *
begin_queueing(FunctionCallInfo fcinfo)
{
	const TriggerData *trigger = (const TriggerData *) fcinfo->context;
	MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	Queueing   *queueing = palloc(sizeof(*queueing));

	queueing->template = iotdata_template_parse(trigger->tg_trigger,
												CreateTupleDescCopy(RelationGetDescr(trigger->tg_relation)));
	queueing->scratch = AllocSetContextCreate(CurrentMemoryContext, "iotdata queue trigger",
											  ALLOCSET_DEFAULT_SIZES);
	fcinfo->flinfo->fn_extra = queueing;
	MemoryContextSwitchTo(caller);
	return queueing;
}

static void
queue_row(const Queueing *queueing, const TriggerData *trigger, HeapTuple row)
{
	MemoryContext caller = MemoryContextSwitchTo(queueing->scratch);
	IotDataQueued message;

	iotdata_template_fill(queueing->template, row, &message);
	message.owner = trigger->tg_relation->rd_rel->relowner;
	iotdata_outbox_queue(&message);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(queueing->scratch);
}

/* ---- for each statement ---- */

/* The rows as they are after it, or were before a DELETE. */
static Tuplestorestate *
transition_table(const TriggerData *trigger)
{
	Tuplestorestate *rows = TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? trigger->tg_oldtable :
		trigger->tg_newtable;

	if (rows == NULL)
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"iotdata.queue_direct_message_trigger\" must be fired for each row, or for each statement with a transition table"),
				errhint("Say REFERENCING NEW TABLE AS name, or OLD TABLE for DELETE."));
	return rows;
}

/* Others read the same table, each from a place of its own. */
static void
queue_statement(const Queueing *queueing, const TriggerData *trigger)
{
	Tuplestorestate *rows = transition_table(trigger);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation),
													&TTSOpsMinimalTuple);

	tuplestore_select_read_pointer(rows, tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND));
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		bool		is_copy;
		HeapTuple	row = ExecFetchSlotHeapTuple(slot, true, &is_copy);

		queue_row(queueing, trigger, row);
		if (is_copy)
			heap_freetuple(row);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* ---- for each row ---- */

static HeapTuple
fired_row(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
}

static void
check_firing(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"iotdata.queue_direct_message_trigger\" was not called by a trigger"));
}

Datum
iotdata_queue_direct_message_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	ErrorContextCallback context = {.previous = error_context_stack, .callback = tell_context, .arg = trigger};
	const Queueing *queueing = fcinfo->flinfo->fn_extra;
	HeapTuple	row = NULL;

	check_firing(fcinfo);
	error_context_stack = &context;
	if (queueing == NULL)
		queueing = begin_queueing(fcinfo);
	if (TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		queue_statement(queueing, trigger);
	else
	{
		row = fired_row(trigger);
		queue_row(queueing, trigger, row);
	}
	error_context_stack = context.previous;
	return PointerGetDatum(row);
}
