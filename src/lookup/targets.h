/*
 * targets.h
 *		Where lookups go: each server's target, found once.
 */
#ifndef IOTDATA_LOOKUP_TARGETS_H
#define IOTDATA_LOOKUP_TARGETS_H

#include "postgres.h"

#include "call/callset.h"
#include "call/identity.h"
#include "error/failure.h"
#include "lib/ilist.h"
#include "target/target.h"
#include "utils/hsearch.h"

/* A target that lookups go to, for as long as they live. */
typedef struct IotDataLookupTarget
{
	dlist_node	node;			/* in the list of all */
	const IotDataTarget *target;	/* with a reference of ours; NULL: see
									 * failure */
	IotDataCallQueue *queue;	/* NULL: see failure */
	IotDataFailure failure;
	char		account[IOTDATA_ACCOUNT_SIZE];	/* the queue is gone first */
	int64		cache_hits;		/* counted by whoever has them */
} IotDataLookupTarget;

typedef struct IotDataLookupTargets
{
	MemoryContext context;
	IotDataCallSet *set;
	dlist_head	all;
	HTAB	   *named;
	IotDataLookupTarget *unnamed;	/* that of lookups that name no server,
									 * when it is known */
} IotDataLookupTargets;

/* Those of the calls of "set", in the current memory context. */
extern void iotdata_lookup_targets_init(IotDataLookupTargets *targets, IotDataCallSet *set);

/*
 * The target of a server's name (NULL: as iotdata_target_find has it), with its
 * queue or a failure. It stays what it is. May wait for credentials.
 */
extern IotDataLookupTarget *iotdata_lookup_targets_get(IotDataLookupTargets *targets,
													   const char *server);

/*
 * Count the cache hits as those of an operation, and leave the targets. A reset
 * callback may do it.
 */
extern void iotdata_lookup_targets_leave(IotDataLookupTargets *targets, const char *operation);

#endif							/* IOTDATA_LOOKUP_TARGETS_H */
