/*
 * queue.c
 *		Messages put into the outbox.
 *
 * The row goes into table and indexes without the executor: the role needs no
 * privilege of the table, and row security, triggers and rules are not in the
 * way. Nothing is sent here; what is wrong with an argument is said here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "compat.h"
#include "error/raise.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "outbox/limit.h"
#include "outbox/queue.h"
#include "outbox/target.h"
#include "outbox/wake.h"
#include "request/request.h"
#include "settings/settings.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* by which a device can tell that a message comes a second time */
#define MESSAGE_ID_PROPERTY "iotdata-message-id"

/* the function's arguments after the operation's */
#define EXPIRES_IN IOTDATA_OUTBOX_NARGUMENTS
#define SERVER (IOTDATA_OUTBOX_NARGUMENTS + 1)
#define NARGUMENTS (IOTDATA_OUTBOX_NARGUMENTS + 2)

PG_FUNCTION_INFO_V1(iotdata_queue_direct_message);

/* What a call of the function keeps for the next one. */
typedef struct Queueing
{
	IotDataArgumentTypes types;
	MemoryContext scratch;
} Queueing;

int64
iotdata_outbox_device(const char *server, const char *client_id)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) client_id,
										   (int) strlen(client_id), 0);

	if (server != NULL)
		hash = hash_bytes_extended((const unsigned char *) server,
								   (int) strlen(server), hash);
	return (int64) hash;
}

/* ---- the message ---- */

/* The id among the user properties, after those that are there. */
static void
add_message_id(NullableDatum *properties, int64 id)
{
	Datum		own = DirectFunctionCall1(jsonb_in,
										  CStringGetDatum(psprintf("{\"" MESSAGE_ID_PROPERTY "\": \"" INT64_FORMAT "\"}", id)));

	if (!properties->isnull)
		own = DirectFunctionCall2(jsonb_concat, properties->value, own);
	properties->value = own;
	properties->isnull = false;
}

static TimestampTz
find_expiry(TimestampTz now, const Interval *expires_in)
{
	TimestampTz at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
															 TimestampTzGetDatum(now),
															 PointerGetDatum(expires_in)));

	if (at < now)
		iotdata_raise_argument("expires_in must not be negative");
	return at;
}

/*
 * Which server the message names: the argument's, or else the setting's; NULL
 * for the default target, of which only the worker's settings count.
 */
static void
find_server(IotDataQueued *message)
{
	const char *name = message->server != NULL ? message->server : iotdata_server;
	IotDataFailure failure;

	if (name[0] != '\0' &&
		iotdata_outbox_target(message->server, message->owner, CurrentMemoryContext, &failure) == NULL)
		iotdata_raise(&failure);
	message->server = name[0] != '\0' ? name : NULL;
}

/*
 * Check the arguments by what sending does with them, and make the payload the
 * bytes that are sent.
 */
static const IotDataRequest *
check_arguments(IotDataQueued *message, IotDataErrorContext *errors)
{
	const IotDataRequest *request = iotdata_request_build(&iotdata_operation_send_direct_message,
														  message->arguments, &message->types, errors);
	bytea	   *payload = palloc(VARHDRSZ + request->body.length);

	SET_VARSIZE(payload, VARHDRSZ + request->body.length);
	memcpy(VARDATA(payload), request->body.data, request->body.length);
	message->arguments[IOTDATA_OUTBOX_PAYLOAD].value = PointerGetDatum(payload);
	/* without confirmation it counts for nothing, which was said just now */
	if (request->wait_seconds == 0)
		message->arguments[IOTDATA_OUTBOX_TIMEOUT].isnull = true;
	return request;
}

/* ---- its row ---- */

static void
set_column(Datum *values, bool *nulls, IotDataOutboxColumn column, Datum value)
{
	values[column - 1] = value;
	nulls[column - 1] = false;
}

static HeapTuple
make_row(const IotDataQueued *message, const IotDataRequest *request, int64 id,
		 TupleDesc columns)
{
	Datum		values[IOTDATA_OUTBOX_NCOLUMNS];
	bool		nulls[IOTDATA_OUTBOX_NCOLUMNS];
	TimestampTz now = GetCurrentTimestamp();
	FullTransactionId xid = GetTopFullTransactionId();
	NameData	server;

	memset(nulls, true, sizeof(nulls));
	set_column(values, nulls, IOTDATA_OUTBOX_ID, Int64GetDatum(id));
	set_column(values, nulls, IOTDATA_OUTBOX_DEVICE,
			   Int64GetDatum(iotdata_outbox_device(message->server, request->subject)));
	set_column(values, nulls, IOTDATA_OUTBOX_XID, Int64GetDatum((int64) U64FromFullTransactionId(xid)));
	set_column(values, nulls, IOTDATA_OUTBOX_HOME, ObjectIdGetDatum(MyDatabaseId));
	set_column(values, nulls, IOTDATA_OUTBOX_OWNER, ObjectIdGetDatum(message->owner));
	if (OidIsValid(message->payload_type))
		set_column(values, nulls, IOTDATA_OUTBOX_PAYLOAD_TYPE, ObjectIdGetDatum(message->payload_type));
	if (message->server != NULL)
	{
		namestrcpy(&server, message->server);
		set_column(values, nulls, IOTDATA_OUTBOX_SERVER, NameGetDatum(&server));
	}
	set_column(values, nulls, IOTDATA_OUTBOX_QUEUED_AT, TimestampTzGetDatum(now));
	if (message->expires_in != NULL)
		set_column(values, nulls, IOTDATA_OUTBOX_EXPIRES_AT,
				   TimestampTzGetDatum(find_expiry(now, message->expires_in)));
	for (int i = 0; i < IOTDATA_OUTBOX_NARGUMENTS; i++)
	{
		values[IOTDATA_OUTBOX_ARGUMENTS - 1 + i] = message->arguments[i].value;
		nulls[IOTDATA_OUTBOX_ARGUMENTS - 1 + i] = message->arguments[i].isnull;
	}
	return heap_form_tuple(columns, values, nulls);
}

int64
iotdata_outbox_queue(IotDataQueued *message)
{
	IotDataErrorContext errors;
	const IotDataRequest *request;
	Relation	outbox;
	int64		id;

	iotdata_error_context_push(&errors, iotdata_operation_send_direct_message.name);
	find_server(message);
	id = nextval_internal(iotdata_outbox_relation("outbox_id_seq"), false);
	if (iotdata_outbox_message_id)
		add_message_id(&message->arguments[IOTDATA_OUTBOX_USER_PROPERTIES], id);
	request = check_arguments(message, &errors);
	outbox = table_open(iotdata_outbox_relation("outbox"), RowExclusiveLock);
	iotdata_outbox_check_limit(RelationGetRelid(outbox));
	if (RelationGetDescr(outbox)->natts != IOTDATA_OUTBOX_NCOLUMNS)
		iotdata_raise_version("iotdata.outbox");
	CatalogTupleInsert(outbox, make_row(message, request, id, RelationGetDescr(outbox)));
	table_close(outbox, NoLock);
	iotdata_outbox_wake_at_commit();
	iotdata_error_context_pop(&errors);
	return id;
}

/* ---- the SQL function ---- */

static Queueing *
begin_queueing(FmgrInfo *function)
{
	Queueing   *queueing = MemoryContextAllocZero(function->fn_mcxt, sizeof(*queueing));
	Oid		   *types;
	int			count;

	get_func_signature(function->fn_oid, &types, &count);
	if (count != NARGUMENTS || types[EXPIRES_IN] != INTERVALOID || types[SERVER] != NAMEOID)
		iotdata_raise_version("iotdata.queue_direct_message");
	iotdata_argument_types_set(&queueing->types, types, IOTDATA_OUTBOX_NARGUMENTS,
							   &iotdata_operation_send_direct_message,
							   function->fn_oid);
	queueing->scratch = AllocSetContextCreate(function->fn_mcxt, "iotdata queue",
											  ALLOCSET_DEFAULT_SIZES);
	function->fn_extra = queueing;
	return queueing;
}

/* One function for the payload as bytea, text, json and jsonb. */
Datum
iotdata_queue_direct_message(PG_FUNCTION_ARGS)
{
	Queueing   *queueing = fcinfo->flinfo->fn_extra;
	IotDataQueued message;
	MemoryContext caller;
	int64		id;

	if (queueing == NULL)
		queueing = begin_queueing(fcinfo->flinfo);
	memcpy(message.arguments, fcinfo->args, sizeof(message.arguments));
	message.types = queueing->types;
	message.payload_type = queueing->types.types[IOTDATA_OUTBOX_PAYLOAD];
	message.owner = GetUserId();
	message.expires_in = PG_ARGISNULL(EXPIRES_IN) ? NULL : PG_GETARG_INTERVAL_P(EXPIRES_IN);
	message.server = PG_ARGISNULL(SERVER) ? NULL : NameStr(*PG_GETARG_NAME(SERVER));
	caller = MemoryContextSwitchTo(queueing->scratch);
	id = iotdata_outbox_queue(&message);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(queueing->scratch);
	PG_RETURN_INT64(id);
}
