/*
 * trigger.c
 *		The trigger function that queues a message for each row.
 *
 * Its arguments are the column that names the client, the topic, with columns
 * as {column}, the column that is the payload or '*' for the row as JSON, and
 * perhaps how soon the message expires. The message is the table's owner's: a
 * role that changes a row needs no privilege for what follows from that.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "error/raise.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "outbox/queue.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define MIN_ARGUMENTS 3
#define MAX_ARGUMENTS 4

PG_FUNCTION_INFO_V1(iotdata_queue_direct_message_trigger);

/* What fires it. */
typedef struct Firing
{
	const TriggerData *trigger;
	TupleDesc	columns;
	HeapTuple	row;
} Firing;

static void
tell_context(void *arg)
{
	const TriggerData *trigger = arg;

	errcontext("trigger \"%s\" of table \"%s\"", trigger->tg_trigger->tgname,
			   RelationGetRelationName(trigger->tg_relation));
}

static HeapTuple
fired_row(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
}

static void
check_firing(FunctionCallInfo fcinfo)
{
	const TriggerData *trigger = (const TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"iotdata.queue_direct_message_trigger\" must be fired for each row"));
}

static int
find_column(const Firing *firing, const char *name)
{
	int			column = SPI_fnumber(firing->columns, name);

	if (column <= 0)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_COLUMN),
				errmsg("column \"%s\" does not exist", name));
	return column;
}

/* ---- the topic ---- */

/* Append a column's value, which is one level of the topic at the most. */
static void
append_value(const Firing *firing, StringInfo topic, const char *name)
{
	const char *value = SPI_getvalue(firing->row, firing->columns, find_column(firing, name));

	if (value == NULL)
		iotdata_raise_argument(psprintf("column \"%s\" in the topic must not be null", name));
	if (value[strcspn(value, "/+#")] != '\0')
		iotdata_raise_argument(psprintf("column \"%s\" in the topic must not contain \"/\", \"+\" or \"#\"", name));
	appendStringInfoString(topic, value);
}

static Datum
make_topic(const Firing *firing, const char *text)
{
	StringInfoData topic;
	const char *open;

	initStringInfo(&topic);
	while ((open = strchr(text, '{')) != NULL)
	{
		const char *end = strchr(open, '}');

		if (end == NULL)
			iotdata_raise_argument("the topic has a \"{\" without a \"}\"");
		appendBinaryStringInfo(&topic, text, (int) (open - text));
		append_value(firing, &topic, pnstrdup(open + 1, end - open - 1));
		text = end + 1;
	}
	appendStringInfoString(&topic, text);
	return CStringGetTextDatum(topic.data);
}

/* ---- the message ---- */

static NullableDatum
text_value(const char *text)
{
	NullableDatum value = {.isnull = text == NULL};

	if (text != NULL)
		value.value = CStringGetTextDatum(text);
	return value;
}

static void
set_payload(const Firing *firing, const char *name, IotDataQueued *message)
{
	NullableDatum *payload = &message->arguments[IOTDATA_OUTBOX_PAYLOAD];
	Oid		   *type = &message->types.types[IOTDATA_OUTBOX_PAYLOAD];
	int			column;

	payload->isnull = false;
	*type = JSONOID;
	if (strcmp(name, "*") == 0)
	{
		payload->value = DirectFunctionCall1(row_to_json,
											 heap_copy_tuple_as_datum(firing->row, firing->columns));
		return;
	}
	column = find_column(firing, name);
	*type = SPI_gettypeid(firing->columns, column);
	if (*type == BYTEAOID || *type == TEXTOID || *type == JSONOID || *type == JSONBOID)
		payload->value = SPI_getbinval(firing->row, firing->columns, column, &payload->isnull);
	else
	{
		*type = TEXTOID;
		*payload = text_value(SPI_getvalue(firing->row, firing->columns, column));
	}
}

static void
queue_row(const Firing *firing)
{
	const Trigger *trigger = firing->trigger->tg_trigger;
	IotDataQueued message = {
		.types = {.count = IOTDATA_OUTBOX_PAYLOAD + 1, .types = {TEXTOID, TEXTOID}},
		.owner = firing->trigger->tg_relation->rd_rel->relowner
	};

	if (trigger->tgnargs < MIN_ARGUMENTS || trigger->tgnargs > MAX_ARGUMENTS)
		iotdata_raise_argument("the trigger's arguments must be the client's column, the topic, the payload's column or \"*\", and perhaps how soon the message expires");
	for (int i = 0; i < IOTDATA_OUTBOX_NARGUMENTS; i++)
		message.arguments[i].isnull = true;
	message.arguments[0] = text_value(SPI_getvalue(firing->row, firing->columns,
												   find_column(firing, trigger->tgargs[0])));
	message.arguments[1].value = make_topic(firing, trigger->tgargs[1]);
	message.arguments[1].isnull = false;
	set_payload(firing, trigger->tgargs[2], &message);
	if (trigger->tgnargs == MAX_ARGUMENTS)
		message.expires_in = DatumGetIntervalP(DirectFunctionCall3(interval_in,
																   CStringGetDatum(trigger->tgargs[3]),
																   ObjectIdGetDatum(InvalidOid),
																   Int32GetDatum(-1)));
	iotdata_outbox_queue(&message);
}

Datum
iotdata_queue_direct_message_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	ErrorContextCallback context = {.previous = error_context_stack, .callback = tell_context, .arg = trigger};
	MemoryContext scratch;
	MemoryContext caller;
	Firing		firing;

	check_firing(fcinfo);
	error_context_stack = &context;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "iotdata queue trigger",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(scratch);
	firing = (Firing) {trigger, RelationGetDescr(trigger->tg_relation), fired_row(trigger)};
	queue_row(&firing);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	error_context_stack = context.previous;
	return PointerGetDatum(firing.row);
}
