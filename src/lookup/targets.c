/*
 * targets.c
 *		Where lookups go: each server's target, found once.
 */
#include "postgres.h"

#include "lookup/targets.h"
#include "shared/statistics.h"
#include "target/find.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A target by its server's name. */
typedef struct NamedTarget
{
	NameData	server;
	IotDataLookupTarget *target;
} NamedTarget;

void
iotdata_lookup_targets_init(IotDataLookupTargets *targets, IotDataCallSet *set)
{
	HASHCTL		control = {
		.keysize = NAMEDATALEN,
		.entrysize = sizeof(NamedTarget),
		.hcxt = CurrentMemoryContext
	};

	targets->context = CurrentMemoryContext;
	targets->set = set;
	dlist_init(&targets->all);
	targets->named = hash_create("iotdata lookup targets", 8, &control,
								 HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	targets->unnamed = NULL;
}

static IotDataFailure
copy_failure(const IotDataFailure *failure)
{
	IotDataFailure copy = *failure;

	copy.message = pstrdup(failure->message);
	copy.detail = failure->detail != NULL ? pstrdup(failure->detail) : NULL;
	copy.hint = failure->hint != NULL ? pstrdup(failure->hint) : NULL;
	return copy;
}

/* The target of a server's name, or of none, with its queue or a failure. */
static IotDataLookupTarget *
find_target(IotDataLookupTargets *targets, const char *server)
{
	IotDataLookupTarget *target = MemoryContextAllocZero(targets->context, sizeof(*target));
	IotDataFailure failure;

	dlist_push_tail(&targets->all, &target->node);
	target->target = iotdata_target_find(server, CurrentMemoryContext, &failure);
	if (target->target != NULL)
		iotdata_target_reference(target->target);
	if (target->target != NULL)
		target->queue = iotdata_callset_queue(targets->set, target->target, &failure);
	if (target->queue != NULL)
		strlcpy(target->account, iotdata_callset_account(target->queue), sizeof(target->account));
	else
	{
		MemoryContext caller = MemoryContextSwitchTo(targets->context);

		target->failure = copy_failure(&failure);
		MemoryContextSwitchTo(caller);
	}
	return target;
}

IotDataLookupTarget *
iotdata_lookup_targets_get(IotDataLookupTargets *targets, const char *server)
{
	NamedTarget wanted;
	NamedTarget *known;

	if (server == NULL)
	{
		if (targets->unnamed == NULL)
			targets->unnamed = find_target(targets, NULL);
		return targets->unnamed;
	}
	namestrcpy(&wanted.server, server);
	known = hash_search(targets->named, &wanted.server, HASH_FIND, NULL);
	if (known == NULL)
	{
		wanted.target = find_target(targets, server);
		known = hash_search(targets->named, &wanted.server, HASH_ENTER, NULL);
		known->target = wanted.target;
	}
	return known->target;
}

void
iotdata_lookup_targets_leave(IotDataLookupTargets *targets, const char *operation)
{
	dlist_iter	iter;

	dlist_foreach(iter, &targets->all)
	{
		const IotDataLookupTarget *target = dlist_container(IotDataLookupTarget, node, iter.cur);

		if (target->cache_hits > 0)
			iotdata_statistics_note_hits(target->target->endpoint.authority, target->account,
										 operation, (uint64) target->cache_hits);
		if (target->target != NULL)
			iotdata_target_leave(target->target);
	}
}
