/*
 * queue.h
 *		Messages put into the outbox.
 */
#ifndef IOTDATA_OUTBOX_QUEUE_H
#define IOTDATA_OUTBOX_QUEUE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "outbox/relation.h"

/* A message as its function's arguments say it. */
typedef struct IotDataQueued
{
	NullableDatum arguments[IOTDATA_OUTBOX_NARGUMENTS]; /* of the operation */
	IotDataArgumentTypes types;
	Oid			payload_type;	/* of the function; InvalidOid: a trigger */
	Oid			owner;			/* the role that it is sent as */
	const Interval *expires_in; /* NULL: never */
	const char *server;			/* NULL: the default target */
} IotDataQueued;

/*
 * Check a message and put it into the outbox, in the current transaction.
 * Returns its id. Works in the current memory context, and leaves there what it
 * allocates. Raises what iotdata_request_build raises, and 53400 when too many
 * messages wait.
 */
extern int64 iotdata_outbox_queue(IotDataQueued *message);

/*
 * A hash of what is to be sent in order: the messages of one device of one
 * target.
 */
extern int64 iotdata_outbox_device(const char *server, const char *client_id);

#endif							/* IOTDATA_OUTBOX_QUEUE_H */
