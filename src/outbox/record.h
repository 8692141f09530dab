/*
 * record.h
 *		What became of messages, written down.
 */
#ifndef IOTDATA_OUTBOX_RECORD_H
#define IOTDATA_OUTBOX_RECORD_H

#include "postgres.h"

#include "outbox/feed.h"
#include "outbox/window.h"

typedef struct IotDataOutboxRecorder IotDataOutboxRecorder;

/* In the current memory context. */
extern IotDataOutboxRecorder *iotdata_recorder_create(IotDataOutboxWindow *window,
													  IotDataOutboxFeed *feed,
													  IotDataJournal *journal);

/*
 * A message's verdict is known: to be written. Its device goes on without it,
 * unless it is to be tried again.
 */
extern void iotdata_recorder_add(IotDataOutboxRecorder *recorder,
								 IotDataOutboxMessage *message);

/* How many are to be written, and since when (CLOCK_MONOTONIC) the oldest is. */
extern int	iotdata_recorder_count(const IotDataOutboxRecorder *recorder);
extern int64 iotdata_recorder_since(const IotDataOutboxRecorder *recorder);

/*
 * Can nothing be written now? Then nothing is to be sent, and writing is to be
 * tried again after a while.
 */
extern bool iotdata_recorder_is_failing(const IotDataOutboxRecorder *recorder);

/*
 * Write, in a transaction with SPI. What cannot be written is kept, and told of
 * in the log.
 */
extern void iotdata_recorder_write(IotDataOutboxRecorder *recorder);

/* That transaction has committed: the journal is told. */
extern void iotdata_recorder_has_committed(IotDataOutboxRecorder *recorder);

/*
 * When what could not be written is tried again (CLOCK_MONOTONIC,
 * microseconds); PG_INT64_MAX when there is nothing of that kind.
 */
extern int64 iotdata_recorder_held_at(const IotDataOutboxRecorder *recorder);

#endif							/* IOTDATA_OUTBOX_RECORD_H */
