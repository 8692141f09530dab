/*
 * connections.c
 *		The SQL function about the connections of many MQTT clients.
 *
 * Each element of the array has a row, in its order. As many of them are
 * looked up at once as the limits allow.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "error/raise.h"
#include "funcapi.h"
#include "lookup/lookup.h"
#include "lookup/queue.h"
#include "lookup/result.h"
#include "miscadmin.h"
#include "request/operation.h"
#include "utils/array.h"
#include "utils/regproc.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(iotdata_get_connections);

/* An element of the array. */
typedef struct Element
{
	IotDataQueued queued;
	NullableDatum client_id;
} Element;

typedef struct Connections
{
	IotDataLookups *lookups;
	ReturnSetInfo *result;
	ArrayIterator elements;
	bool		more;			/* elements */
	int64		nread;
	NullableDatum arguments[4];
	IotDataQueue *queue;
} Connections;

static void
put_row(Connections *connections, const Element *element)
{
	Datum		values[IOTDATA_RESULT_NCOLUMNS];
	bool		nulls[IOTDATA_RESULT_NCOLUMNS];

	if (element->queued.lookup != NULL)
		iotdata_lookup_raise(element->queued.lookup);
	iotdata_result_fill(element->queued.lookup, element->client_id, values, nulls);
	tuplestore_putvalues(connections->result->setResult, connections->result->setDesc,
						 values, nulls);
}

static void
hand_on_first(Connections *connections, MemoryContext scratch)
{
	MemoryContext caller = MemoryContextSwitchTo(scratch);

	put_row(connections, iotdata_queue_first(connections->queue));
	iotdata_queue_remove_first(connections->queue);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(scratch);
}

/* Ask about the next element, if there is one. */
static void
ask_next(Connections *connections)
{
	NullableDatum *client_id = &connections->arguments[0];
	Element    *element;

	connections->more = array_iterate(connections->elements, &client_id->value,
									  &client_id->isnull);
	if (!connections->more)
		return;
	iotdata_lookups_note_rows(connections->lookups, ++connections->nread);
	element = iotdata_queue_add(connections->queue);
	element->client_id = *client_id;
	if (!client_id->isnull)
		element->queued.lookup = iotdata_lookups_ask(connections->lookups,
													 connections->arguments);
}

static void
look_up(Connections *connections)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata connection result",
												  ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		while (connections->more && !iotdata_queue_is_full(connections->queue) &&
			   iotdata_lookups_have_room(connections->lookups))
			ask_next(connections);
		if (iotdata_queue_is_empty(connections->queue))
			break;
		if (iotdata_queue_is_first_ready(connections->queue))
			hand_on_first(connections, scratch);
		else
			iotdata_lookups_wait(connections->lookups);
	}
	MemoryContextDelete(scratch);
}

/* get_connections(client_ids, include_socket_information, max_age, server) */
Datum
iotdata_get_connections(PG_FUNCTION_ARGS)
{
	static const IotDataArgumentTypes types = {4, {TEXTOID, BOOLOID, INTERVALOID, NAMEOID}};
	Connections connections = {.result = (ReturnSetInfo *) fcinfo->resultinfo, .more = true};
	TupleDesc	answer;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	answer = iotdata_result_answer(connections.result->setDesc);
	if (answer == NULL)
		iotdata_raise_version(format_procedure(fcinfo->flinfo->fn_oid));
	connections.elements = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	connections.arguments[1] = fcinfo->args[1];
	connections.arguments[2] = fcinfo->args[2];
	connections.arguments[3] = fcinfo->args[3];
	connections.queue = iotdata_queue_create(sizeof(Element));
	connections.lookups = iotdata_lookups_create(&iotdata_operation_get_connection_result,
												 &types, answer, NULL,
												 (size_t) work_mem * 1024);
	PG_TRY();
	{
		/* what is wrong with all of them is an error */
		iotdata_lookups_check_target(connections.lookups, PG_ARGISNULL(3) ? NULL : NameStr(*PG_GETARG_NAME(3)));
		look_up(&connections);
	}
	PG_FINALLY();
	{
		/* at once: who catches the error may keep the memory for long */
		iotdata_lookups_delete(connections.lookups);
	}
	PG_END_TRY();
	return (Datum) 0;
}
