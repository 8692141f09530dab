/*
 * wake.h
 *		Whoever sends the outbox's messages is told that there are some.
 */
#ifndef IOTDATA_OUTBOX_WAKE_H
#define IOTDATA_OUTBOX_WAKE_H

#include "postgres.h"

/* The current transaction has queued; others learn of it when it commits. */
extern void iotdata_outbox_wake_at_commit(void);

/* Somebody who sent messages has ceased to, and may have left some. */
extern void iotdata_outbox_wake_now(void);

#endif							/* IOTDATA_OUTBOX_WAKE_H */
