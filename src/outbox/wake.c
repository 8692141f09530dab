/*
 * wake.c
 *		Whoever sends the outbox's messages is told that there are some.
 *
 * When the callback runs the transaction is over, and others see what it did.
 * A prepared transaction is not: its COMMIT PREPARED, which may be another
 * session's, wakes (utility.c).
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "outbox/wake.h"
#include "shared/outbox_slots.h"
#include "shared/shared.h"

static bool has_queued = false;

void
iotdata_outbox_wake_at_commit(void)
{
	has_queued = true;
}

void
iotdata_outbox_wake_now(void)
{
	if (iotdata_shared_is_preloaded() && OidIsValid(MyDatabaseId))
		iotdata_slots_wake(MyDatabaseId);
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (!has_queued)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			has_queued = false;
			iotdata_outbox_wake_now();
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			has_queued = false;
			break;
		default:
			break;
	}
}

void
iotdata_outbox_wake_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}
