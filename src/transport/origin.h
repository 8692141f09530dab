/*
 * origin.h
 *		Where connections lead to, and by which way: those to one origin are as
 *		good as each other.
 */
#ifndef IOTDATA_TRANSPORT_ORIGIN_H
#define IOTDATA_TRANSPORT_ORIGIN_H

#include "postgres.h"

#include "aws/endpoint.h"
#include "lib/ilist.h"

typedef struct IotDataOrigin
{
	dlist_node	node;			/* in the list of all */
	int			references;
	bool		https;
	const char *authority;
	const char *ca_file;		/* "" = the system's */
	const char *proxy;			/* as the environment has it, with its
								 * password; "" = none */

	/* connection.c's: who resolves its name, and when that was last done */
	struct IotDataConnection *resolving;
	int64		resolved_at;	/* 0: never */
	char		texts[FLEXIBLE_ARRAY_MEMBER];
} IotDataOrigin;

/*
 * The origin for an endpoint and a file of authorities, with a reference more.
 * NULL without memory.
 */
extern IotDataOrigin *iotdata_origin_find(const IotDataEndpoint *endpoint,
										  const char *ca_file);

/* Take a reference, and give it up; with the last one the origin is freed. */
extern void iotdata_origin_reference(IotDataOrigin *origin);
extern void iotdata_origin_leave(IotDataOrigin *origin);

#endif							/* IOTDATA_TRANSPORT_ORIGIN_H */
