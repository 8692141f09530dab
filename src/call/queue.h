/*
 * queue.h
 *		The calls of a set to one target: as whom they are made, how fast, and
 *		what is noted when one of them is over.
 */
#ifndef IOTDATA_CALL_QUEUE_H
#define IOTDATA_CALL_QUEUE_H

#include "postgres.h"

#include "call/call.h"
#include "call/identity.h"
#include "error/failure.h"
#include "lib/ilist.h"
#include "request/request.h"
#include "shared/cache.h"
#include "target/target.h"

typedef struct IotDataCallQueue
{
	struct IotDataCallSet *set;
	dlist_node	node;			/* in the set's list */
	const IotDataTarget *target;	/* referenced */
	IotDataIdentity identity;	/* as whom its calls are made */
	dlist_head	calls;
	int64		token_at;		/* when the bucket is worth asking again */
} IotDataCallQueue;

/*
 * A queue in "context", which references the target until it is left. Returns
 * NULL with "failure" filled (28000) when the target has no credentials. Raises
 * what iotdata_identity_get raises.
 */
extern IotDataCallQueue *iotdata_call_queue_create(MemoryContext context,
												   const IotDataTarget *target,
												   IotDataFailure *failure);

/* Give up a queue without calls, which nobody uses any longer. */
extern void iotdata_callset_leave_queue(IotDataCallQueue *queue);

/* The key by which the cache knows answers to this request. */
extern IotDataCacheKey iotdata_callset_cache_key(const IotDataCallQueue *queue,
												 const IotDataRequest *request);

/* Under which account its calls are counted; valid as long as the queue is. */
extern const char *iotdata_callset_account(const IotDataCallQueue *queue);

/* Requests a second, of a target and kind, and of a call; 0: no limit. */
extern int	iotdata_target_rate(const IotDataTarget *target, IotDataRateKind kind);
extern int	iotdata_call_rate(const IotDataCall *call);

/* The reset callback of a call's context: it is over, or nobody waits for it. */
extern void iotdata_call_leave(void *call);

#endif							/* IOTDATA_CALL_QUEUE_H */
