/*
 * baseline.c
 *		Which transactions have finished from one snapshot to the next.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "outbox/baseline.h"

/* A transaction that is not in the future, with its epoch. */
static uint64
widen(TransactionId xid, FullTransactionId next)
{
	uint32		epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return ((uint64) epoch) << 32 | xid;
}

static int
compare(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

IotDataBaseline
iotdata_baseline_take(Snapshot snapshot)
{
	FullTransactionId next = ReadNextFullTransactionId();
	IotDataBaseline baseline = {
		.xmax = widen(snapshot->xmax, next),
		.running = palloc(sizeof(uint64) * (snapshot->xcnt + 1)),
		.nrunning = (int) snapshot->xcnt
	};

	for (int i = 0; i < baseline.nrunning; i++)
		baseline.running[i] = widen(snapshot->xip[i], next);
	qsort(baseline.running, baseline.nrunning, sizeof(uint64), compare);
	return baseline;
}

void
iotdata_baseline_free(IotDataBaseline *baseline)
{
	if (baseline->running != NULL)
		pfree(baseline->running);
	memset(baseline, 0, sizeof(*baseline));
}

int
iotdata_baseline_finished(const IotDataBaseline *before, const IotDataBaseline *after,
						  IotDataXidRange *ranges)
{
	int			count = 0;

	for (int i = 0; i < before->nrunning; i++)
	{
		uint64		xid = before->running[i];

		if (bsearch(&xid, after->running, after->nrunning, sizeof(uint64), compare) == NULL)
			ranges[count++] = (IotDataXidRange) {xid, xid + 1};
	}
	if (after->xmax > before->xmax)
		ranges[count++] = (IotDataXidRange) {before->xmax, after->xmax};
	return count;
}
