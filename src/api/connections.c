/*
 * connections.c
 *		The SQL function about the connections of many MQTT clients.
 *
 * Each element of the array has a row, in its order. As many of them are
 * looked up at once as the limits allow; those that were asked about and not
 * handed on yet are in a ring.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "lookup/lookup.h"
#include "miscadmin.h"
#include "request/operation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(iotdata_get_connections);

/* columns of iotdata.connection_result */
enum
{
	CLIENT_ID,
	CONNECTION,
	ERROR_CODE,
	ERROR_MESSAGE,
	NCOLUMNS
};

/* An element that was asked about and not handed on yet. */
typedef struct Pending
{
	IotDataLookup *lookup;		/* NULL: the element is NULL */
	Datum		client_id;
} Pending;

typedef struct Connections
{
	IotDataLookups *lookups;
	TupleDesc	columns;		/* of iotdata.connection */
	ReturnSetInfo *result;
	ArrayIterator elements;
	NullableDatum arguments[3];
	Pending    *ring;
	int			size;
	int			first;
	int			count;
	bool		more;			/* elements */
} Connections;

/* The columns of the result's column that is a connection. */
static TupleDesc
connection_columns(TupleDesc result)
{
	return lookup_rowtype_tupdesc_copy(TupleDescAttr(result, CONNECTION)->atttypid, -1);
}

static void
put_row(Connections *connections, const Pending *pending)
{
	const IotDataLookup *lookup = pending->lookup;
	Datum		values[NCOLUMNS] = {pending->client_id};
	bool		nulls[NCOLUMNS] = {lookup == NULL, true, true, true};

	if (lookup != NULL && lookup->failure != NULL)
	{
		values[ERROR_CODE] = CStringGetTextDatum(unpack_sql_state(lookup->failure->sqlstate));
		values[ERROR_MESSAGE] = CStringGetTextDatum(lookup->failure->message);
		nulls[ERROR_CODE] = nulls[ERROR_MESSAGE] = false;
	}
	else if (lookup != NULL && lookup->nrows > 0)
	{
		values[CONNECTION] = heap_copy_tuple_as_datum(lookup->rows[0], connections->columns);
		nulls[CONNECTION] = false;
	}
	tuplestore_putvalues(connections->result->setResult, connections->result->setDesc,
						 values, nulls);
}

static bool
is_first_ready(const Connections *connections)
{
	const IotDataLookup *lookup = connections->ring[connections->first].lookup;

	return lookup == NULL || lookup->ended;
}

/* Hand on the first one. */
static void
hand_on(Connections *connections, MemoryContext scratch)
{
	Pending    *pending = &connections->ring[connections->first];
	MemoryContext caller = MemoryContextSwitchTo(scratch);

	put_row(connections, pending);
	if (pending->lookup != NULL)
		iotdata_lookup_release(pending->lookup);
	connections->first = (connections->first + 1) % connections->size;
	connections->count--;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(scratch);
}

/* Ask about the next element, if there is one. */
static void
ask(Connections *connections)
{
	int			place = (connections->first + connections->count) % connections->size;
	Pending    *pending = &connections->ring[place];
	NullableDatum *client_id = &connections->arguments[0];

	connections->more = array_iterate(connections->elements, &client_id->value,
									  &client_id->isnull);
	if (!connections->more)
		return;
	pending->client_id = client_id->value;
	pending->lookup = client_id->isnull ? NULL :
		iotdata_lookups_ask(connections->lookups, connections->arguments);
	connections->count++;
}

static void
look_up(Connections *connections)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata connection result",
												  ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		while (connections->more && connections->count < connections->size &&
			   iotdata_lookups_have_room(connections->lookups))
			ask(connections);
		if (connections->count == 0)
			break;
		if (is_first_ready(connections))
			hand_on(connections, scratch);
		else
			iotdata_lookups_wait(connections->lookups);
	}
	MemoryContextDelete(scratch);
}

/* get_connections(client_ids, include_socket_information, max_age) */
Datum
iotdata_get_connections(PG_FUNCTION_ARGS)
{
	static const IotDataArgumentTypes types = {3, {TEXTOID, BOOLOID, INTERVALOID}};
	Connections connections = {.result = (ReturnSetInfo *) fcinfo->resultinfo, .more = true};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	connections.columns = connection_columns(connections.result->setDesc);
	connections.elements = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	connections.arguments[1] = fcinfo->args[1];
	connections.arguments[2] = fcinfo->args[2];
	connections.size = iotdata_lookups_max_pending();
	connections.ring = palloc_array(Pending, connections.size);
	connections.lookups = iotdata_lookups_create(&iotdata_operation_get_connection, &types,
												 connections.columns,
												 (size_t) work_mem * 1024);
	PG_TRY();
	{
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
