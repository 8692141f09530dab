/*
 * wake.h
 *		Whoever sends the outbox's messages is told that there are some.
 */
#ifndef IOTDATA_OUTBOX_WAKE_H
#define IOTDATA_OUTBOX_WAKE_H

#include "postgres.h"

/* Watch transactions. Called once, at load. */
extern void iotdata_outbox_wake_init(void);

/* The current transaction has queued; others learn of it when it commits. */
extern void iotdata_outbox_wake_at_commit(void);

/*
 * Messages may have been committed, or left behind by somebody who sent. Raises
 * nothing.
 */
extern void iotdata_outbox_wake_now(void);

#endif							/* IOTDATA_OUTBOX_WAKE_H */
