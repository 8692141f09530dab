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

/* Is there anything that may be sent? */
extern bool iotdata_sender_may_dispatch(const IotDataOutboxSender *sender, int64 max);

/*
 * Send what is ready and may be, but no more than "max" messages. In a
 * transaction: whether they still wait is looked up.
 */
extern void iotdata_sender_dispatch(IotDataOutboxSender *sender, int64 max);

/* How many have been sent so far; how many are in flight. */
extern int64 iotdata_sender_count(const IotDataOutboxSender *sender);
extern int	iotdata_sender_in_flight(const IotDataOutboxSender *sender);

/* Is anything in flight, to be sent, or to be judged? */
extern bool iotdata_sender_is_busy(const IotDataOutboxSender *sender);

/*
 * When a target that takes nothing now is tried again, one is to be opened, or a
 * message that is perhaps being cancelled is looked at again (CLOCK_MONOTONIC);
 * PG_INT64_MAX: none of it.
 */
extern int64 iotdata_sender_next_time(const IotDataOutboxSender *sender);

/*
 * Find the credentials of targets that messages have begun to wait for. It may
 * wait for the network, so no transaction is open.
 */
extern void iotdata_sender_open_targets(IotDataOutboxSender *sender);

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
 * Follow changes of roles, functions, servers, user mappings and settings, with the messages that
 * are not in flight. In a transaction.
 */
extern void iotdata_sender_follow_targets(IotDataOutboxSender *sender);

#endif							/* IOTDATA_OUTBOX_SENDER_H */
