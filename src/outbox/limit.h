/*
 * limit.h
 *		How many messages may wait in the outbox.
 */
#ifndef IOTDATA_OUTBOX_LIMIT_H
#define IOTDATA_OUTBOX_LIMIT_H

#include "postgres.h"

/*
 * One more is about to be queued in the current transaction, in the table
 * "outbox". Raises 53400 when that is more than iotdata.outbox_max.
 */
extern void iotdata_outbox_check_limit(Oid outbox);

/* About how many rows a table has, by the statistics. */
extern int64 iotdata_outbox_estimate(Oid table);

#endif							/* IOTDATA_OUTBOX_LIMIT_H */
