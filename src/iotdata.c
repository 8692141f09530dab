/*
 * iotdata.c
 *		The entry of the library: each module's init, and nothing else.
 */
#include "postgres.h"

#include "compat.h"
#include "join/jit.h"
#include "join/join.h"
#include "outbox/outbox.h"
#include "settings/settings.h"
#include "shared/areas.h"

IOTDATA_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	iotdata_settings_init();
	iotdata_join_init();
	iotdata_jit_init();
	iotdata_shared_init(iotdata_shared_areas);
	iotdata_outbox_init();
}
