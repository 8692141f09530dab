/*
 * preload_notice.c
 *		What it means that the library is not preloaded, said where it matters.
 */
#include "postgres.h"

#include "call/preload_notice.h"
#include "shared/shared.h"

void
iotdata_preload_notice(void)
{
	static bool said = false;

	if (said || iotdata_shared_is_preloaded())
		return;
	said = true;
	ereport(NOTICE,
			errmsg("this session shares no cached answers and no request rates with others"),
			errdetail("The library iotdata is not preloaded."),
			errhint("Add iotdata to shared_preload_libraries."));
}
