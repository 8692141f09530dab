/*
 * callset.c
 *		Calls to one target or several: begun as the limits allow, waited for,
 *		tried again, and handed back as they end.
 *
 * Where a call is:
 *   queue     its target's: its turn has come but for the rate. The first one
 *             asks the target's bucket for a token, the others wait behind it
 *   delayed   not before its time: a retry, a client whose second is not over,
 *             or another session that asks for the same (then it may come off
 *             early)
 *   running   in the hands of the transport, until its transfer is on the list
 *             "finished"
 *   ended     it has its answer, or none: the caller gets it
 * A call whose attempt has ended is ended, or goes to "delayed" for another.
 *
 * Nothing of this goes on while nobody is in iotdata_callset_add or _next: a
 * cursor that is not fetched from stalls its calls. What fails because of that
 * is tried again, and does not count as an attempt.
 */
#include "postgres.h"

#include "call/attempt.h"
#include "call/callset.h"
#include "call/clock.h"
#include "call/identity.h"
#include "call/preload_notice.h"
#include "common/hashfn.h"
#include "compat.h"
#include "error/raise.h"
#include "settings/settings.h"
#include "utils/memutils.h"

#include <limits.h>

#define NEVER PG_INT64_MAX

/* A set that was not looked after for so long may have lost its connections. */
#define STALL (1 * USECS_PER_SEC)

struct IotDataCallSet
{
	MemoryContext context;
	uint32		number;			/* of this session's */
	dlist_head	queues;			/* all of them, the last made first */
	dlist_head	delayed;
	dlist_head	finished;		/* transfers that have ended */
	dlist_head	ended;
	int			max_calls;		/* 0: iotdata.max_concurrency */
	bool		leaves_retries;
	int			unfinished;		/* calls that were not handed back yet */
	int			awaiting;		/* delayed ones that another session asks for */
	bool		prepared;		/* to be woken by other sessions */
	int64		token_at;		/* when the bucket is worth asking again */
	int64		seen;			/* when the set was last looked after */
	int64		stalled;		/* until when it last was not */
	int64		rate_wait;
	IotDataProgress *progress;	/* NULL: not shown */
	int			in_flight;		/* calls in the hands of the transport */
	int64		waiting_since;	/* for the next token; 0: not waiting */
};

static uint64
hash_string(const char *string)
{
	return hash_bytes_extended((const unsigned char *) string, (int) strlen(string), 0);
}

/* The reset callback of the set's context: its calls are gone already. */
static void
leave_targets(void *arg)
{
	IotDataCallSet *set = arg;
	dlist_iter	iter;

	dlist_foreach(iter, &set->queues)
	{
		iotdata_target_leave(dlist_container(IotDataCallQueue, node, iter.cur)->target);
	}
}

IotDataCallSet *
iotdata_callset_create(void)
{
	static uint32 created = 0;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata call set",
												  ALLOCSET_SMALL_SIZES);
	IotDataCallSet *set = MemoryContextAllocZero(context, sizeof(*set));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(*callback));

	dlist_init(&set->queues);
	callback->func = leave_targets;
	callback->arg = set;
	MemoryContextRegisterResetCallback(context, callback);
	/* it is waited with even when nothing was sent yet */
	if (!iotdata_transport_open(context))
		iotdata_raise_resources("the HTTP library could not be started");
	set->context = context;
	set->number = ++created;
	dlist_init(&set->delayed);
	dlist_init(&set->finished);
	dlist_init(&set->ended);
	set->seen = iotdata_clock_monotonic();
	return set;
}

/* Other sessions need not wake this one (after an error it is all the same). */
static void
stop_awaiting(IotDataCallSet *set)
{
	if (set->prepared)
		iotdata_cache_stop_waiting();
	set->prepared = false;
}

void
iotdata_callset_delete(IotDataCallSet *set)
{
	stop_awaiting(set);
	MemoryContextDelete(set->context);
}

void
iotdata_callset_leave_retries(IotDataCallSet *set, int max_calls)
{
	set->leaves_retries = true;
	set->max_calls = max_calls;
}

void
iotdata_callset_show(IotDataCallSet *set, IotDataProgress *progress)
{
	set->progress = progress;
}

bool
iotdata_callset_has_room(const IotDataCallSet *set)
{
	return set->unfinished < (set->max_calls > 0 ? set->max_calls : iotdata_max_concurrency);
}

bool
iotdata_callset_is_under_way(const IotDataCallSet *set)
{
	return set->unfinished > 0;
}

IotDataCallQueue *
iotdata_callset_queue(IotDataCallSet *set, const IotDataTarget *target,
					  IotDataFailure *failure)
{
	IotDataCallQueue *queue = iotdata_call_queue_create(set->context, target, failure);

	if (queue == NULL)
		return NULL;
	queue->set = set;
	dlist_push_head(&set->queues, &queue->node);
	/* reads alone are shown */
	iotdata_progress_add_target(set->progress, target->endpoint.authority, queue->identity.quota,
								iotdata_target_rate(target, IOTDATA_RATE_CONNECTION));
	return queue;
}

int64
iotdata_callset_rate_wait(const IotDataCallSet *set)
{
	return set->rate_wait;
}

/* ---- what is shown ---- */

/* When the first of the queues may have a token; NEVER when all are empty. */
static int64
token_time(const IotDataCallSet *set)
{
	int64		next = NEVER;
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &set->queues))
	{
		IotDataCallQueue *queue = dlist_container(IotDataCallQueue, node, iter.cur);

		if (!dlist_is_empty(&queue->calls))
			next = Min(next, queue->token_at);
	}
	return next;
}

/* Tell who looks on what the calls do now. */
static void
show_calls(IotDataCallSet *set)
{
	if (set->progress == NULL)
		return;
	if (token_time(set) == NEVER)
		set->waiting_since = 0;
	else if (set->waiting_since == 0)
		set->waiting_since = iotdata_clock_monotonic();
	iotdata_progress_set_calls(set->progress, set->in_flight, set->waiting_since);
}

/* ---- from the queue ---- */

static void
delay_call(IotDataCallSet *set, IotDataCall *call, int64 due)
{
	call->due = due;
	dlist_push_tail(&set->delayed, &call->node);
}

/* Is there a cached answer that will do for the call? Then it has ended. */
static bool
find_cached(IotDataCallSet *set, IotDataCall *call, const IotDataCacheKey *key)
{
	char		buffer[IOTDATA_CACHE_MAX_LENGTH];
	IotDataCachedAnswer found;
	IotDataCachedAnswer *copy;
	char	   *bytes;

	if (!iotdata_cache_find(key, call->request->max_age, &found, buffer))
		return false;
	copy = MemoryContextAlloc(call->context, sizeof(*copy) + found.length);
	bytes = (char *) (copy + 1);
	memcpy(bytes, found.bytes, found.length);
	*copy = found;
	copy->bytes = bytes;
	call->cached = copy;
	dlist_push_tail(&set->ended, &call->node);
	return true;
}

/*
 * A call that a cached answer may serve: is there one, or another session about
 * to get one? Returns false when this session has to ask.
 */
static bool
others_serve(IotDataCallSet *set, IotDataCall *call, int64 now)
{
	IotDataCacheKey key;
	bool		claimed;
	int64		wait;

	if (call->request->max_age < 0 || call->claim != 0 || call->attempts > 0)
		return false;
	key = iotdata_callset_cache_key(call->queue, call->request);
	iotdata_preload_notice();
	/* most often it is there, and then nobody else need know */
	if (find_cached(set, call, &key))
		return true;
	iotdata_cache_prepare_to_wait();
	set->prepared = true;
	/* claim first: then nobody can store an answer after the look */
	claimed = iotdata_cache_claim(&key, set->number, now, &call->claim, &wait);
	if (find_cached(set, call, &key))
		return true;
	if (claimed)
	{
		if (!call->missed)
			iotdata_cache_note_miss(&key);
		call->missed = true;
		return false;
	}
	call->awaits = true;
	set->awaiting++;
	delay_call(set, call, now + wait);
	return true;
}

/* Send a call. One that cannot be has used up nothing of the rate. */
static void
start_call(IotDataCallSet *set, IotDataCall *call, int64 now)
{
	set->waiting_since = 0;
	call->asked = iotdata_cache_drops(call->rate_subject.client);
	/* whatever becomes of it: also when nobody waits for its answer */
	call->belies |= call->operation->ends_subject && call->subject_path != NULL;
	if (iotdata_attempt_start(call, &set->finished))
	{
		set->in_flight++;
		return;
	}
	if (iotdata_call_rate(call) > 0)
		iotdata_rate_unused(&call->rate_subject, iotdata_call_rate(call), now);
	if (!set->leaves_retries)
		iotdata_raise(call->failure);
	dlist_push_tail(&set->ended, &call->node);
}

/* Begin a call that was taken off the queue, or put it where it belongs. */
static void
begin_call(IotDataCallSet *set, IotDataCall *call, int64 now)
{
	IotDataRateVerdict verdict = IOTDATA_RATE_GRANTED;
	int64		wait;

	if (others_serve(set, call, now))
		return;
	if (iotdata_call_rate(call) > 0)
		verdict = iotdata_rate_take(&call->rate_subject, iotdata_call_rate(call), now, &wait);
	switch (verdict)
	{
		case IOTDATA_RATE_GRANTED:
			start_call(set, call, now);
			break;
		case IOTDATA_RATE_CLIENT_BUSY:
			delay_call(set, call, now + wait);
			break;
		case IOTDATA_RATE_TARGET_BUSY:
			dlist_push_head(&call->queue->calls, &call->node);
			call->queue->token_at = now + wait;
			break;
	}
}

/* Put the delayed calls whose time has come, or may have, into their queues. */
static void
queue_due(IotDataCallSet *set, int64 now)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &set->delayed)
	{
		IotDataCall *call = dlist_container(IotDataCall, node, iter.cur);

		if (!call->awaits && call->due > now)
			continue;
		set->awaiting -= call->awaits;
		call->awaits = false;
		dlist_delete(&call->node);
		dlist_push_tail(&call->queue->calls, &call->node);
	}
}

/* Begin what can be. */
static void
begin_calls(IotDataCallSet *set)
{
	int64		now = iotdata_clock_monotonic();
	dlist_iter	iter;

	queue_due(set, now);
	dlist_foreach(iter, &set->queues)
	{
		IotDataCallQueue *queue = dlist_container(IotDataCallQueue, node, iter.cur);

		while (!dlist_is_empty(&queue->calls) && queue->token_at <= now)
			begin_call(set, dlist_container(IotDataCall, node,
											dlist_pop_head_node(&queue->calls)), now);
	}
	if (set->awaiting == 0)
		stop_awaiting(set);
}

static void
note_time(IotDataCallSet *set)
{
	int64		now = iotdata_clock_monotonic();

	if (now - set->seen > STALL)
		set->stalled = now;
	set->seen = now;
}

/* NULL when it is a read. */
static const char *
copy_subject_path(MemoryContext context, const IotDataRequest *request)
{
	size_t		length;
	char	   *path;

	if (!iotdata_operation_is_action(request->operation))
		return NULL;
	length = iotdata_request_subject_path_length(request);
	if (length == 0)
		return NULL;
	path = MemoryContextAlloc(context, length + 1);
	memcpy(path, request->path, length);
	path[length] = '\0';
	return path;
}

void
iotdata_callset_add(IotDataCallQueue *queue, MemoryContext context,
					const IotDataRequest *request, void *owner)
{
	IotDataCallSet *set = queue->set;
	IotDataCall *call = MemoryContextAllocZero(context, sizeof(*call));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(*callback));

	call->context = context;
	call->request = request;
	call->operation = request->operation;
	call->queue = queue;
	call->target = queue->target;
	call->account = queue->identity.account;
	call->owner = owner;
	call->max_attempts = set->leaves_retries ? 1 : iotdata_max_attempts;
	call->max_skewed_attempts = set->leaves_retries ? 2 : iotdata_max_attempts;
	call->outcome = IOTDATA_OUTCOME_CANCELLED;
	call->rate_subject.target = queue->identity.quota;
	if (request->subject != NULL)
		call->rate_subject.client = hash_string(request->subject);
	call->rate_subject.kind = request->operation->rate_kind;
	call->subject_path = copy_subject_path(context, request);
	callback->func = iotdata_call_leave;
	callback->arg = call;
	MemoryContextRegisterResetCallback(context, callback);
	MemoryContextSetParent(context, set->context);
	set->unfinished++;
	dlist_push_tail(&queue->calls, &call->node);
	begin_calls(set);
	show_calls(set);
}

/* ---- to the end ---- */

/*
 * Tell the limits how the attempt went. Returns whether it was throttled for
 * the pace of all servers that share the quota, which is falling still: that
 * says nothing about the call.
 */
static bool
end_rate(const IotDataCall *call, int64 now)
{
	bool		throttled = iotdata_attempt_is_throttled(call);

	if (throttled)
		iotdata_preload_notice();
	if (iotdata_call_rate(call) == 0)
		return false;
	if (iotdata_transfer_sent(call->transfer) == IOTDATA_SENT_NOTHING)
	{
		iotdata_rate_unused(&call->rate_subject, iotdata_call_rate(call), now);
		return false;
	}
	return iotdata_rate_ended(&call->rate_subject, iotdata_call_rate(call), throttled, now) &&
		throttled && call->rate_subject.kind == IOTDATA_RATE_CONNECTION;
}

/* An action's 404: what it was about is not there, or not connected. */
static void
note_absence(IotDataCall *call)
{
	if (call->subject_path != NULL &&
		iotdata_transfer_status(call->transfer) == IOTDATA_TRANSFER_ANSWERED &&
		iotdata_transfer_http_status(call->transfer) == 404)
		call->belies = true;
}

/* The attempt has ended. Returns whether the call has. */
static bool
end_attempt(IotDataCallSet *set, IotDataCall *call)
{
	int64		now = iotdata_clock_monotonic();
	bool		slowing = end_rate(call, now);
	int64		delay;

	if (iotdata_attempt_again(call, call->attempt_begun < set->stalled, slowing, &delay))
	{
		delay_call(set, call, now + delay);
		return false;
	}
	call->outcome = iotdata_attempt_outcome(call);
	call->microseconds = now - call->begun;
	note_absence(call);
	return true;
}

/* A call that has ended, or NULL. */
static IotDataCall *
take_ended(IotDataCallSet *set)
{
	IotDataCall *call;

	if (!dlist_is_empty(&set->ended))
		return dlist_container(IotDataCall, node, dlist_pop_head_node(&set->ended));
	while ((call = iotdata_transfer_pop(&set->finished)) != NULL)
	{
		set->in_flight--;
		if (end_attempt(set, call))
			return call;
	}
	return NULL;
}

/* When there is something to do that no socket tells of. */
static int64
next_time(const IotDataCallSet *set)
{
	int64		next = token_time(set);
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &set->delayed))
	{
		next = Min(next, dlist_container(IotDataCall, node, iter.cur)->due);
	}
	return next;
}

/* Wait for sockets, the latch, or a time; not longer than "until". */
static void
wait_for_something(IotDataCallSet *set, int64 until)
{
	static uint32 call_event = 0;
	static uint32 rate_event = 0;
	bool		for_rate = token_time(set) != NEVER;
	int64		begun = iotdata_clock_monotonic();
	int64		next = Min(next_time(set), until);
	long		timeout = -1;

	if (next != NEVER)
		timeout = (long) Min((Max(next - begun, 0) + 999) / 1000, INT_MAX);
	show_calls(set);
	iotdata_transport_wait(timeout, for_rate ?
						   iotdata_wait_event(&rate_event, "IotDataRate") :
						   iotdata_wait_event(&call_event, "IotDataCall"));
	set->seen = iotdata_clock_monotonic();
	if (for_rate)
		set->rate_wait += set->seen - begun;
}

IotDataCall *
iotdata_callset_next(IotDataCallSet *set)
{
	IotDataCall *call;

	if (set->unfinished == 0)
		return NULL;
	note_time(set);
	while ((call = take_ended(set)) == NULL)
	{
		begin_calls(set);
		if (dlist_is_empty(&set->ended) && dlist_is_empty(&set->finished))
			wait_for_something(set, NEVER);
	}
	set->unfinished--;
	show_calls(set);
	return call;
}

IotDataCall *
iotdata_callset_poll(IotDataCallSet *set, int64 until)
{
	IotDataCall *call;

	note_time(set);
	call = take_ended(set);
	if (call == NULL)
	{
		begin_calls(set);
		if (dlist_is_empty(&set->ended) && dlist_is_empty(&set->finished))
			wait_for_something(set, until);
		call = take_ended(set);
	}
	if (call != NULL)
		set->unfinished--;
	return call;
}

IotDataCall *
iotdata_callset_call(IotDataCallQueue *queue, const IotDataRequest *request)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata call",
												  ALLOCSET_SMALL_SIZES);

	iotdata_callset_add(queue, context, request, NULL);
	return iotdata_callset_next(queue->set);
}
