/*
 * row.h
 *		A row of iotdata.outbox, made a message that can be sent.
 */
#ifndef IOTDATA_OUTBOX_ROW_H
#define IOTDATA_OUTBOX_ROW_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "outbox/window.h"
#include "utils/relcache.h"

/* What is known of roles during one feed; in the current memory context. */
typedef struct IotDataOutboxRoles IotDataOutboxRoles;

extern IotDataOutboxRoles *iotdata_outbox_roles_create(void);

/*
 * The message that a row is. When it may not or cannot be sent it has no
 * request, but a failure. Needs a transaction.
 */
extern IotDataOutboxMessage *iotdata_outbox_row_read(IotDataOutboxWindow *window,
													 HeapTuple row, TupleDesc columns,
													 IotDataOutboxRoles *roles);

/*
 * Counts the changes of roles, functions, servers and user mappings that this
 * process has heard of since it first read a message.
 */
extern uint64 iotdata_outbox_row_changes(void);

/*
 * Decide anew whether a message may be sent, and where to: privileges, servers
 * or user mappings have changed. Needs a transaction.
 */
extern void iotdata_outbox_row_check(IotDataOutboxMessage *message, IotDataOutboxRoles *roles);

/*
 * Does a message still wait, as far as has been committed by now? "by_id" is
 * the index of the table's primary key.
 */
extern bool iotdata_outbox_row_is_there(Relation outbox, Relation by_id, int64 id, int64 xid);

#endif							/* IOTDATA_OUTBOX_ROW_H */
