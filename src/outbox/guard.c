/*
 * guard.c
 *		Which rows of iotdata.outbox were queued here.
 *
 * The trigger fires for every row that comes by SQL, COPY or logical
 * replication, in whatever session_replication_role, and makes the row's home
 * 0. Rows that C inserts without the executor do not come by here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "outbox/guard.h"
#include "outbox/relation.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(iotdata_outbox_guard);

static bool is_trusted = false;

bool
iotdata_outbox_trust(bool trusted)
{
	bool		before = is_trusted;

	is_trusted = trusted;
	return before;
}

Datum
iotdata_outbox_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	int			column = IOTDATA_OUTBOX_HOME;
	Datum		home = ObjectIdGetDatum(InvalidOid);
	bool		isnull = false;
	HeapTuple	row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"iotdata.outbox_guard\" was not called as a trigger before a row"));
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (is_trusted)
		return PointerGetDatum(row);
	if (RelationGetDescr(trigger->tg_relation)->natts < column)
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"iotdata.outbox_guard\" is for iotdata.outbox only"));
	return PointerGetDatum(heap_modify_tuple_by_cols(row, RelationGetDescr(trigger->tg_relation),
													 1, &column, &home, &isnull));
}
