/*
 * limit.c
 *		How many messages may wait in the outbox.
 *
 * Nobody counts: the statistics know about how many rows there are, and each
 * transaction adds what it queued itself, which they learn after it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "error/raise.h"
#include "outbox/limit.h"
#include "pgstat.h"
#include "settings/settings.h"

/* Of the transaction that queued last: what was there before, and its own. */
static uint64 transaction = 0;
static int64 found;
static int64 queued;

int64
iotdata_outbox_estimate(Oid table)
{
	PgStat_StatTabEntry *entry = pgstat_fetch_stat_tabentry(table);

	return entry != NULL ? iotdata_live_tuples(entry) : 0;
}

void
iotdata_outbox_check_limit(Oid outbox)
{
	uint64		current = U64FromFullTransactionId(GetTopFullTransactionId());
	IotDataFailure failure = {.sqlstate = ERRCODE_CONFIGURATION_LIMIT_EXCEEDED};

	if (iotdata_outbox_max == 0)
		return;
	if (current != transaction)
	{
		transaction = current;
		found = iotdata_outbox_estimate(outbox);
		queued = 0;
	}
	if (found + queued < iotdata_outbox_max)
	{
		queued++;
		return;
	}
	failure.message = "too many messages wait in the outbox";
	failure.detail = psprintf("iotdata.outbox_max is %d.", iotdata_outbox_max);
	failure.hint = "See iotdata.outbox_status and iotdata.outbox_retry for why they are not sent.";
	iotdata_raise(&failure);
}
