/*
 * baseline.h
 *		Which transactions have finished from one snapshot to the next.
 */
#ifndef IOTDATA_OUTBOX_BASELINE_H
#define IOTDATA_OUTBOX_BASELINE_H

#include "postgres.h"

#include "utils/snapshot.h"

/* What a snapshot did not see, by 64-bit transaction ids. */
typedef struct IotDataBaseline
{
	uint64		xmax;			/* this one and what follows; 0: no snapshot */
	uint64	   *running;		/* and these, which are below */
	int			nrunning;
} IotDataBaseline;

/* Transactions from "low" to before "high". */
typedef struct IotDataXidRange
{
	uint64		low;
	uint64		high;
} IotDataXidRange;

/* That of a snapshot, in the current memory context. */
extern IotDataBaseline iotdata_baseline_take(Snapshot snapshot);

extern void iotdata_baseline_free(IotDataBaseline *baseline);

/*
 * The transactions that "before" did not see and "after" may: at most
 * before->nrunning + 1 ranges. Returns how many.
 */
extern int	iotdata_baseline_finished(const IotDataBaseline *before,
									  const IotDataBaseline *after,
									  IotDataXidRange *ranges);

#endif							/* IOTDATA_OUTBOX_BASELINE_H */
