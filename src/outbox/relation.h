/*
 * relation.h
 *		The outbox's tables, as C knows them: by name and by column.
 */
#ifndef IOTDATA_OUTBOX_RELATION_H
#define IOTDATA_OUTBOX_RELATION_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "request/argument.h"

/* Columns of iotdata.outbox; the operation's arguments come last. */
typedef enum IotDataOutboxColumn
{
	IOTDATA_OUTBOX_ID = 1,
	IOTDATA_OUTBOX_DEVICE,
	IOTDATA_OUTBOX_XID,
	IOTDATA_OUTBOX_HOME,
	IOTDATA_OUTBOX_OWNER,
	IOTDATA_OUTBOX_PAYLOAD_TYPE,
	IOTDATA_OUTBOX_SERVER,
	IOTDATA_OUTBOX_QUEUED_AT,
	IOTDATA_OUTBOX_EXPIRES_AT,
	IOTDATA_OUTBOX_ARGUMENTS	/* the first of them: client_id */
} IotDataOutboxColumn;

#define IOTDATA_OUTBOX_NARGUMENTS 10
#define IOTDATA_OUTBOX_NCOLUMNS (IOTDATA_OUTBOX_ARGUMENTS - 1 + IOTDATA_OUTBOX_NARGUMENTS)

/* Places of some of the arguments. */
#define IOTDATA_OUTBOX_CLIENT_ID 0
#define IOTDATA_OUTBOX_TOPIC 1
#define IOTDATA_OUTBOX_PAYLOAD 2
#define IOTDATA_OUTBOX_RESPONSE_TOPIC 4
#define IOTDATA_OUTBOX_CONFIRMATION 5
#define IOTDATA_OUTBOX_TIMEOUT 6
#define IOTDATA_OUTBOX_USER_PROPERTIES 7

/* Columns of iotdata.outbox_retry. */
typedef enum IotDataOutboxRetryColumn
{
	IOTDATA_OUTBOX_RETRY_DEVICE = 1,
	IOTDATA_OUTBOX_RETRY_HEAD,
	IOTDATA_OUTBOX_RETRY_DUE,
	IOTDATA_OUTBOX_RETRY_ATTEMPTS,
	IOTDATA_OUTBOX_RETRY_UNKNOWN
} IotDataOutboxRetryColumn;

/*
 * A table, index or sequence of the outbox. Raises 55000 when there is none:
 * the SQL objects are of another version.
 */
extern Oid	iotdata_outbox_relation(const char *name);

/* Are there these objects in the database? */
extern bool iotdata_outbox_exists(void);

/* The types of the arguments as iotdata.outbox has them. */
extern void iotdata_outbox_types(IotDataArgumentTypes *types, TupleDesc columns);

/*
 * queue_direct_message for a payload of this type; InvalidOid: the trigger
 * function. Returns InvalidOid when there is none.
 */
extern Oid	iotdata_outbox_function(Oid payload_type);

#endif							/* IOTDATA_OUTBOX_RELATION_H */
