/*
 * schedule.h
 *		What becomes of a message after an attempt to send it.
 *
 * No PostgreSQL header is needed here.
 */
#ifndef IOTDATA_OUTBOX_SCHEDULE_H
#define IOTDATA_OUTBOX_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* How an attempt ended, as much of it as decides. */
typedef struct IotDataOutboxAttempt
{
	int			http_status;	/* 0: there was no whole answer */
	bool		sent;			/* some of the request may have arrived */
	bool		not_found;		/* a 404 by which the service says that the
								 * device is not connected */
} IotDataOutboxAttempt;

typedef enum IotDataOutboxVerdict
{
	IOTDATA_OUTBOX_DELIVERED,
	IOTDATA_OUTBOX_FAILED,		/* it would never be better */
	IOTDATA_OUTBOX_EXPIRED,
	IOTDATA_OUTBOX_RETRY,		/* the device is tried again later */
	IOTDATA_OUTBOX_HOLD			/* it is not the device: the target takes
								 * nothing from anybody now, and the message
								 * did not arrive */
} IotDataOutboxVerdict;

extern IotDataOutboxVerdict iotdata_outbox_judge(const IotDataOutboxAttempt *attempt);

/* May the message have arrived, though it was not said to be delivered? */
extern bool iotdata_outbox_is_unknown(const IotDataOutboxAttempt *attempt);

/*
 * The time before another attempt after "attempts" of them (at least one): it
 * doubles from "first" to "longest".
 */
extern int64_t iotdata_outbox_delay(int attempts, int64_t first, int64_t longest);

#endif							/* IOTDATA_OUTBOX_SCHEDULE_H */
