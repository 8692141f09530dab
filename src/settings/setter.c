/*
 * setter.c
 *		Who has given a setting its value.
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "settings/setter.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

Oid
iotdata_setter_of_server(void)
{
	static const struct config_generic *setting = NULL;

	if (setting == NULL)
		setting = iotdata_find_setting("iotdata.server");
	if (setting == NULL)
		return InvalidOid;
	switch (setting->source)
	{
		case PGC_S_USER:
		case PGC_S_DATABASE_USER:
			return GetSessionUserId();
		case PGC_S_CLIENT:
		case PGC_S_INTERACTIVE:
		case PGC_S_TEST:
		case PGC_S_SESSION:
			return setting->srole;
		default:
			return InvalidOid;
	}
}
