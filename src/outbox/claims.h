/*
 * claims.h
 *		Which process decides about a message: the one that sends it, or those
 *		that cancel it.
 *
 * A lock on the message's id, as PostgreSQL's advisory locks are, which pg_locks
 * shows. A sender has its lock from before it looks whether the message is
 * still there until what became of it has been committed; whoever cancels has
 * it until the end of the transaction. Nobody waits for it.
 */
#ifndef IOTDATA_OUTBOX_CLAIMS_H
#define IOTDATA_OUTBOX_CLAIMS_H

#include "postgres.h"

/*
 * Claim a message, to send it, until it is released. Returns false if another
 * has. Raises 53200 when there is no room for the lock.
 */
extern bool iotdata_claims_take(int64 id);
extern void iotdata_claims_release(int64 id);

/* The session sends nothing any more. */
extern void iotdata_claims_release_all(void);

/*
 * Claim a message, to cancel it, until the transaction ends. Others may cancel
 * it, too. Returns false if it is being sent.
 */
extern bool iotdata_claims_cancel(int64 id);

#endif							/* IOTDATA_OUTBOX_CLAIMS_H */
