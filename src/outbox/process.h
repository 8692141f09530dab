/*
 * process.h
 *		The outbox at work: read, send, record, until there is nothing left.
 */
#ifndef IOTDATA_OUTBOX_PROCESS_H
#define IOTDATA_OUTBOX_PROCESS_H

#include "postgres.h"

#include "datatype/timestamp.h"

typedef struct IotDataOutboxProcess IotDataOutboxProcess;

/*
 * In the current memory context, outside of any transaction of its own but the
 * procedure's. Raises what iotdata_sender_create raises.
 */
extern IotDataOutboxProcess *iotdata_process_create(uint32 shards, bool in_procedure);
extern void iotdata_process_delete(IotDataOutboxProcess *process);

/* Others have committed messages: they are to be read. */
extern void iotdata_process_wake(IotDataOutboxProcess *process);

/* The settings may have changed. */
extern void iotdata_process_note_settings(IotDataOutboxProcess *process);

/*
 * Do what can be done now; not more than "max" messages are sent in all. Returns
 * false when there is nothing to do, but perhaps for attempts that are due
 * later.
 */
extern bool iotdata_process_work(IotDataOutboxProcess *process, int64 max);

/*
 * Wait for something to happen, for the next attempt that is due, or until
 * "until" (CLOCK_MONOTONIC). Raises what CHECK_FOR_INTERRUPTS raises.
 */
extern void iotdata_process_wait(IotDataOutboxProcess *process, int64 until);

/* Do messages wait for a target that takes none now? */
extern bool iotdata_process_is_held(const IotDataOutboxProcess *process);

/*
 * Send nothing any more; wait until "until" for what is in flight, and record
 * it.
 */
extern void iotdata_process_finish(IotDataOutboxProcess *process, int64 until);

/* When the next attempt is due; DT_NOEND: none is known. */
extern TimestampTz iotdata_process_next_due(const IotDataOutboxProcess *process);

/* How many messages have been sent so far. */
extern int64 iotdata_process_count(const IotDataOutboxProcess *process);

/*
 * Is there a message that was sent and whose row cannot be written? Whoever
 * comes after this process would send it again.
 */
extern bool iotdata_process_has_unrecorded(const IotDataOutboxProcess *process);

#endif							/* IOTDATA_OUTBOX_PROCESS_H */
