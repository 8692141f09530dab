/*
 * queue.c
 *		The calls of a set to one target: as whom they are made, how fast, and
 *		what is noted when one of them is over.
 */
#include "postgres.h"

#include "call/clock.h"
#include "call/queue.h"
#include "settings/settings.h"
#include "shared/statistics.h"

IotDataCallQueue *
iotdata_call_queue_create(MemoryContext context, const IotDataTarget *target,
						  IotDataFailure *failure)
{
	IotDataIdentity identity;
	IotDataCallQueue *queue;

	if (!iotdata_identity_get(&identity, target, failure))
		return NULL;
	queue = MemoryContextAllocZero(context, sizeof(*queue));
	iotdata_target_reference(target);
	queue->target = target;
	queue->identity = identity;
	dlist_init(&queue->calls);
	return queue;
}

void
iotdata_callset_leave_queue(IotDataCallQueue *queue)
{
	dlist_delete(&queue->node);
	iotdata_target_leave(queue->target);
	pfree(queue);
}

IotDataCacheKey
iotdata_callset_cache_key(const IotDataCallQueue *queue, const IotDataRequest *request)
{
	return iotdata_cache_key(queue->identity.scope, request->request_target,
							 request->request_target_length);
}

const char *
iotdata_callset_account(const IotDataCallQueue *queue)
{
	return queue->identity.account;
}

int
iotdata_target_rate(const IotDataTarget *target, IotDataRateKind kind)
{
	if (kind == IOTDATA_RATE_CONNECTION)
		return target->read_rate >= 0 ? target->read_rate : iotdata_read_rate;
	return target->send_rate >= 0 ? target->send_rate : iotdata_send_rate;
}

int
iotdata_call_rate(const IotDataCall *call)
{
	return iotdata_target_rate(call->target, call->rate_subject.kind);
}

/* ---- a call's end ---- */

static void
note_call(const IotDataCall *call)
{
	IotDataCallRecord record = {
		.outcome = call->outcome,
		.attempts = call->attempts,
		.throttled = call->throttled,
		.bytes_sent = call->cost.bytes_sent,
		.bytes_received = call->cost.bytes_received,
		.connections_opened = call->cost.connections_opened,
		.microseconds = call->microseconds
	};

	iotdata_statistics_note_call(call->target->endpoint.authority, call->account,
								 call->operation->name, &record);
}

void
iotdata_call_leave(void *arg)
{
	IotDataCall *call = arg;

	if (call->outcome == IOTDATA_OUTCOME_CANCELLED)
		call->microseconds = iotdata_clock_monotonic() - call->begun;
	if (call->attempts > 0)
		note_call(call);
	iotdata_cache_release(call->claim);
	call->claim = 0;

	/*
	 * at the latest moment: what was asked for until now is not stored,
	 * either
	 */
	if (call->belies)
		iotdata_cache_drop(call->queue->identity.scope, call->subject_path,
						   call->rate_subject.client);
}
