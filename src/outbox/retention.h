/*
 * retention.h
 *		Rows of messages that have ended, removed when they are old enough.
 */
#ifndef IOTDATA_OUTBOX_RETENTION_H
#define IOTDATA_OUTBOX_RETENTION_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* How far the rows were removed; all zero at first. */
typedef struct IotDataRetention
{
	bool		begun;
	bool		has_more;		/* rows that are old enough */
	TimestampTz positions[4];	/* of each state, the time that was reached */
	TimestampTz next_due;		/* when there will be others; DT_NOEND: never */
	int64		not_before;		/* CLOCK_MONOTONIC */
} IotDataRetention;

/* When the next step is due; DT_NOEND: not until others have ended. */
extern TimestampTz iotdata_retention_next_due(const IotDataRetention *retention);
extern bool iotdata_retention_is_due(const IotDataRetention *retention);

/* Messages have ended: there will be something to remove. */
extern void iotdata_retention_note_ended(IotDataRetention *retention);

/* One small step, in a transaction with SPI. What fails is tried again later. */
extern void iotdata_retention_step(IotDataRetention *retention);

#endif							/* IOTDATA_OUTBOX_RETENTION_H */
