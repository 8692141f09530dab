/*
 * wake.c
 *		Whoever sends the outbox's messages is told that there are some.
 */
#include "postgres.h"

#include "outbox/wake.h"

static bool has_queued = false;

void
iotdata_outbox_wake_at_commit(void)
{
	has_queued = true;
}

void
iotdata_outbox_wake_now(void)
{
}
