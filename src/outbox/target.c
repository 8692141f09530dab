/*
 * target.c
 *		Where messages of the outbox go.
 */
#include "postgres.h"

#include "outbox/target.h"

bool
iotdata_outbox_target(const char *server, Oid owner, IotDataTarget *target,
					  IotDataFailure *failure)
{
	if (server == NULL)
		return iotdata_target_default(target, failure);
	failure->sqlstate = ERRCODE_UNDEFINED_OBJECT;
	failure->message = psprintf("server \"%s\" does not exist", server);
	failure->detail = NULL;
	failure->hint = NULL;
	return false;
}
