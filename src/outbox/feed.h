/*
 * feed.h
 *		From the outbox's tables into the window, in order and without a gap.
 */
#ifndef IOTDATA_OUTBOX_FEED_H
#define IOTDATA_OUTBOX_FEED_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "outbox/journal.h"
#include "outbox/window.h"

typedef struct IotDataOutboxFeed IotDataOutboxFeed;

/* For the shards whose bits are set, in the current memory context. */
extern IotDataOutboxFeed *iotdata_feed_create(uint32 shards, IotDataJournal *journal);

/*
 * Read what there is and the window has room for. In a transaction, with an
 * active snapshot that sees all that was recorded.
 */
extern void iotdata_feed_read(IotDataOutboxFeed *feed, IotDataOutboxWindow *window);

/* Is there more to read than the last time had room for? */
extern bool iotdata_feed_has_more(const IotDataOutboxFeed *feed);

/* When a device is due for another attempt; DT_NOEND: none is known. */
extern TimestampTz iotdata_feed_next_due(const IotDataOutboxFeed *feed);

/* A row was written to outbox_retry that is due then. */
extern void iotdata_feed_note_due(IotDataOutboxFeed *feed, TimestampTz due);

#endif							/* IOTDATA_OUTBOX_FEED_H */
