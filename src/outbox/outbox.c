/*
 * outbox.c
 *		The outbox's place in the server.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "outbox/launcher.h"
#include "outbox/outbox.h"
#include "outbox/utility.h"
#include "outbox/wake.h"

void
iotdata_outbox_init(void)
{
	iotdata_outbox_wake_init();
	/* pg_upgrade's server sends nothing */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	iotdata_outbox_utility_init();
	iotdata_outbox_launcher_init();
}
