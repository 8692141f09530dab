/*
 * target.c
 *		Where messages of the outbox go.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "outbox/target.h"
#include "target/find.h"

const IotDataTarget *
iotdata_outbox_target(const char *server, Oid owner, MemoryContext holder,
					  IotDataFailure *failure)
{
	const IotDataTarget *target;
	Oid			user;
	int			security;

	/* what is raised in between ends the transaction, which takes it back */
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
	target = iotdata_target_find(server, holder, failure);
	SetUserIdAndSecContext(user, security);
	return target;
}
