/*
 * retention.h
 *		Rows of messages that have ended, removed when they are old enough.
 */
#ifndef IOTDATA_OUTBOX_RETENTION_H
#define IOTDATA_OUTBOX_RETENTION_H

#include "postgres.h"

/* How far the rows were removed; all zero at first. */
typedef struct IotDataRetention
{
	bool		begun;
	int64		positions[4];	/* of each state, the time that was reached */
	int64		due;			/* CLOCK_MONOTONIC: not before */
} IotDataRetention;

/* Is it time for the next step? */
extern bool iotdata_retention_is_due(const IotDataRetention *retention);

/* One small step, in a transaction with SPI. What fails is tried again later. */
extern void iotdata_retention_step(IotDataRetention *retention);

#endif							/* IOTDATA_OUTBOX_RETENTION_H */
