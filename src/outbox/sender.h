/*
 * sender.h
 *		Messages of the window on their way to the service.
 */
#ifndef IOTDATA_OUTBOX_SENDER_H
#define IOTDATA_OUTBOX_SENDER_H

#include "postgres.h"

#include "outbox/record.h"
#include "outbox/window.h"

typedef struct IotDataOutboxSender IotDataOutboxSender;

/*
 * In the current memory context. Raises 53000 without memory or descriptors.
 */
extern IotDataOutboxSender *iotdata_sender_create(IotDataOutboxWindow *window,
												  IotDataOutboxRecorder *recorder,
												  IotDataJournal *journal);

/* Stop what is in flight, and free all. */
extern void iotdata_sender_delete(IotDataOutboxSender *sender);

/* Send what is ready and may be, but no more than "max" messages. */
extern void iotdata_sender_dispatch(IotDataOutboxSender *sender, int64 max);

/* How many have been sent so far; how many are in flight. */
extern int64 iotdata_sender_count(const IotDataOutboxSender *sender);
extern int	iotdata_sender_in_flight(const IotDataOutboxSender *sender);

/* Is anything in flight, to be sent, or to be judged? */
extern bool iotdata_sender_is_busy(const IotDataOutboxSender *sender);

/*
 * When the first of the targets that take nothing now is tried again
 * (CLOCK_MONOTONIC); PG_INT64_MAX: there is nothing to try it with.
 */
extern int64 iotdata_sender_probe_at(const IotDataOutboxSender *sender);

/* Is nothing in flight, and can none of the messages be sent now? */
extern bool iotdata_sender_is_held(const IotDataOutboxSender *sender);

/*
 * Wait until something happens, the latch is set or "until" (CLOCK_MONOTONIC)
 * is over, and take what has ended. Raises what CHECK_FOR_INTERRUPTS raises.
 */
extern void iotdata_sender_wait(IotDataOutboxSender *sender, int64 until);

/* Are there answers that iotdata_sender_judge has to look at? */
extern bool iotdata_sender_has_failures(const IotDataOutboxSender *sender);

/* Decide about them. In a transaction: texts are converted. */
extern void iotdata_sender_judge(IotDataOutboxSender *sender);

/* The settings may have changed. */
extern void iotdata_sender_note_settings(IotDataOutboxSender *sender);

/*
 * Follow changes of servers, user mappings and settings, with the messages that
 * are not in flight. In a transaction.
 */
extern void iotdata_sender_follow_targets(IotDataOutboxSender *sender);

#endif							/* IOTDATA_OUTBOX_SENDER_H */
