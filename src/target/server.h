/*
 * server.h
 *		A target out of a foreign server and a user mapping.
 */
#ifndef IOTDATA_TARGET_SERVER_H
#define IOTDATA_TARGET_SERVER_H

#include "postgres.h"

#include "error/failure.h"
#include "target/target.h"

/* A server and a user mapping, as somebody may use them. */
typedef struct IotDataServer
{
	const char *name;			/* the caller's */
	Oid			server;
	Oid			mapping;
	Oid			user;			/* of the mapping; InvalidOid: PUBLIC */

	/*
	 * Does it belong to a superuser? Only then may it use the credentials of
	 * the database server itself, if its mapping says so: its owner decides
	 * where requests go that are signed with them.
	 */
	bool		is_trusted;
} IotDataServer;

/*
 * The server of a name, as the current user may use it, with the mapping of the
 * current user, or else PUBLIC's. Returns false with "failure" filled: 42704
 * when there is no such server, 42501 without USAGE on it, 42809 when it is of
 * another foreign-data wrapper, 28000 without a mapping.
 */
extern bool iotdata_server_find(IotDataServer *server, const char *name,
								IotDataFailure *failure);

/*
 * The target that they make, held by "holder". Returns NULL with "failure"
 * filled: 22023 without a region or an endpoint, 28000 without credentials, 42704
 * when one of the two has gone meanwhile.
 */
extern const IotDataTarget *iotdata_server_target(const IotDataServer *server,
												  MemoryContext holder,
												  IotDataFailure *failure);

/*
 * Is a target of a server still what the settings and the environment would
 * make it, where the server's options leave something to them?
 */
extern bool iotdata_server_is_current(const IotDataTarget *target);

#endif							/* IOTDATA_TARGET_SERVER_H */
