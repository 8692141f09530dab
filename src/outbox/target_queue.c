/*
 * target_queue.c
 *		What the outbox has for one target: its calls, its breaker, and the
 *		messages that wait for it.
 */
#include "postgres.h"

#include "outbox/target_queue.h"
#include "target/find.h"
#include "utils/memutils.h"

/* Half of the window is left for targets that take messages. */
#define MAX_WAITING (IOTDATA_OUTBOX_WINDOW_MESSAGES / 2)
#define MAX_WAITING_BYTES (IOTDATA_OUTBOX_WINDOW_BYTES / 2)

/* A target from which nothing has come for so many microseconds is slow. */
#define SLOW_AFTER 250000

void
iotdata_target_queues_init(IotDataTargetQueues *queues)
{
	queues->context = CurrentMemoryContext;
	dlist_init(&queues->all);
	queues->nqueues = 0;
	queues->free = 0;
	queues->nwaiting = 0;
	queues->waiting_bytes = 0;
}

IotDataTargetQueue *
iotdata_target_queue_get(IotDataTargetQueues *queues, const IotDataOutboxMessage *message)
{
	IotDataTargetQueue *queue;
	MemoryContext context;
	dlist_iter	iter;

	dlist_foreach(iter, &queues->all)
	{
		queue = dlist_container(IotDataTargetQueue, node, iter.cur);
		if (queue->named == message->target)
			return queue;
	}
	context = AllocSetContextCreate(queues->context, "iotdata outbox target", ALLOCSET_SMALL_SIZES);
	queue = MemoryContextAllocZero(context, sizeof(*queue));
	queue->context = context;
	queue->named = message->target;
	if (queue->named != NULL)
		iotdata_target_hold(queue->named, queue->context);
	dlist_init(&queue->waiting);
	dlist_push_tail(&queues->all, &queue->node);
	queues->nqueues++;
	return queue;
}

bool
iotdata_target_queue_open(IotDataTargetQueue *queue, IotDataCallSet *set,
						  IotDataFailure *failure)
{
	const IotDataTarget *target = queue->named;

	if (queue->calls != NULL)
		return true;
	if (target == NULL)
		target = iotdata_target_find("", CurrentMemoryContext, failure);
	if (target != NULL)
		queue->calls = iotdata_callset_queue(set, target, failure);
	return queue->calls != NULL;
}

bool
iotdata_target_queue_allows(const IotDataTargetQueue *queue, int64 now)
{
	return iotdata_breaker_allows(&queue->breaker, now);
}

bool
iotdata_target_queue_has_share(const IotDataTargetQueues *queues,
							   const IotDataTargetQueue *queue)
{
	return queue->in_flight == 0 || queue->in_flight < IOTDATA_TARGET_SHARE * (queues->free - 1);
}

/* ---- messages that wait ---- */

static void
add_waiting(IotDataTargetQueues *queues, IotDataTargetQueue *queue,
			IotDataOutboxMessage *message, bool is_first)
{
	if (is_first)
		dlist_push_head(&queue->waiting, &message->node);
	else
		dlist_push_tail(&queue->waiting, &message->node);
	queues->nwaiting++;
	queues->waiting_bytes += message->size;
}

IotDataOutboxMessage *
iotdata_target_queues_take(IotDataTargetQueues *queues, IotDataTargetQueue *queue)
{
	IotDataOutboxMessage *message = dlist_container(IotDataOutboxMessage, node,
													dlist_pop_head_node(&queue->waiting));

	queues->nwaiting--;
	queues->waiting_bytes -= message->size;
	return message;
}

/* The first with a waiting message that may be sent. */
static IotDataTargetQueue *
find_waiting(const IotDataTargetQueues *queues, int64 now)
{
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &queues->all))
	{
		IotDataTargetQueue *queue = dlist_container(IotDataTargetQueue, node, iter.cur);

		if (queue->calls != NULL && !dlist_is_empty(&queue->waiting) &&
			iotdata_target_queue_allows(queue, now) &&
			iotdata_target_queue_has_share(queues, queue))
			return queue;
	}
	return NULL;
}

bool
iotdata_target_queues_can_pop(const IotDataTargetQueues *queues, int64 now)
{
	return queues->nwaiting > 0 && find_waiting(queues, now) != NULL;
}

IotDataOutboxMessage *
iotdata_target_queues_pop(IotDataTargetQueues *queues, int64 now)
{
	IotDataTargetQueue *queue = queues->nwaiting > 0 ? find_waiting(queues, now) : NULL;

	return queue != NULL ? iotdata_target_queues_take(queues, queue) : NULL;
}

static bool
are_full(const IotDataTargetQueues *queues)
{
	return queues->nwaiting >= MAX_WAITING || queues->waiting_bytes >= MAX_WAITING_BYTES;
}

static bool
is_slow(const IotDataTargetQueue *queue, int64 now)
{
	return iotdata_breaker_is_open(&queue->breaker) || now - queue->moved_at > SLOW_AFTER;
}

/* Is a message worth taking out of the window, if it were this queue's? */
static bool
is_worth_taking(const IotDataTargetQueues *queues, const IotDataTargetQueue *queue, int64 now)
{
	if (!iotdata_target_queue_allows(queue, now))
		return false;
	/* what waits for a slow one is in the way of others, if there are any */
	return iotdata_target_queue_has_share(queues, queue) ||
		(is_slow(queue, now) && (queues->nqueues > 1 || !are_full(queues)));
}

bool
iotdata_target_queues_allow(const IotDataTargetQueues *queues, int64 now)
{
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &queues->all))
	{
		if (is_worth_taking(queues, dlist_container(IotDataTargetQueue, node, iter.cur), now))
			return true;
	}
	return queues->nqueues == 0;
}

bool
iotdata_target_queues_are_draining(const IotDataTargetQueues *queues, int64 now)
{
	dlist_iter	iter;

	if (!are_full(queues))
		return false;
	dlist_foreach(iter, unconstify(dlist_head *, &queues->all))
	{
		IotDataTargetQueue *queue = dlist_container(IotDataTargetQueue, node, iter.cur);

		if (!dlist_is_empty(&queue->waiting) && !is_slow(queue, now))
			return true;
	}
	return false;
}

bool
iotdata_target_queues_wait(IotDataTargetQueues *queues, IotDataTargetQueue *queue,
						   IotDataOutboxMessage *message, bool is_first)
{
	/* each has room for one, so that it is tried */
	if (!dlist_is_empty(&queue->waiting) && are_full(queues))
		return false;
	add_waiting(queues, queue, message, is_first);
	return true;
}

/* What waits in any queue, in a list. */
static void
take_waiting(IotDataTargetQueues *queues, dlist_head *messages)
{
	dlist_iter	iter;

	dlist_init(messages);
	dlist_foreach(iter, &queues->all)
	{
		IotDataTargetQueue *queue = dlist_container(IotDataTargetQueue, node, iter.cur);

		while (!dlist_is_empty(&queue->waiting))
			dlist_push_tail(messages, &iotdata_target_queues_take(queues, queue)->node);
	}
}

void
iotdata_target_queues_sort(IotDataTargetQueues *queues, bool settings,
						   void (*visit) (IotDataOutboxMessage *message, void *arg),
						   void *arg)
{
	dlist_head	messages;
	dlist_iter	iter;

	take_waiting(queues, &messages);
	while (!dlist_is_empty(&messages))
	{
		IotDataOutboxMessage *message = dlist_container(IotDataOutboxMessage, node,
														dlist_pop_head_node(&messages));

		visit(message, arg);
		message->queue = iotdata_target_queue_get(queues, message);
		add_waiting(queues, message->queue, message, false);
	}
	dlist_foreach(iter, &queues->all)
	{
		IotDataTargetQueue *queue = dlist_container(IotDataTargetQueue, node, iter.cur);

		if (settings && queue->named == NULL)
			queue->calls = NULL;
	}
}

bool
iotdata_target_queue_is_to_open(const IotDataTargetQueue *queue, int64 now)
{
	return queue->calls == NULL && iotdata_target_queue_allows(queue, now) &&
		!dlist_is_empty(unconstify(dlist_head *, &queue->waiting));
}

void
iotdata_target_queues_sweep(IotDataTargetQueues *queues, int64 now)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &queues->all)
	{
		IotDataTargetQueue *queue = dlist_container(IotDataTargetQueue, node, iter.cur);

		if (queue->named == NULL || queue->in_flight > 0 || !dlist_is_empty(&queue->waiting) ||
			!iotdata_target_queue_allows(queue, now))
			continue;
		dlist_delete(&queue->node);
		queues->nqueues--;
		if (queue->calls != NULL)
			iotdata_callset_leave_queue(queue->calls);
		MemoryContextDelete(queue->context);
	}
}

int64
iotdata_target_queues_next_time(const IotDataTargetQueues *queues, bool more, int64 now)
{
	/* those that are draining may turn out to be slow */
	int64		first = iotdata_target_queues_are_draining(queues, now) ? now + SLOW_AFTER : PG_INT64_MAX;
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &queues->all))
	{
		IotDataTargetQueue *queue = dlist_container(IotDataTargetQueue, node, iter.cur);

		if (!more && dlist_is_empty(&queue->waiting))
			continue;
		if (iotdata_breaker_is_open(&queue->breaker))
			first = Min(first, queue->breaker.probe_at);
		else if (queue->calls == NULL && !dlist_is_empty(&queue->waiting))
			first = 0;
		else if (!iotdata_target_queue_has_share(queues, queue) && !is_slow(queue, now))
			first = Min(first, queue->moved_at + SLOW_AFTER + 1);
	}
	return first;
}

void
iotdata_target_queue_note(IotDataTargetQueue *queue, const IotDataFailure *failure)
{
	char	   *message = MemoryContextStrdup(queue->context, failure->message);

	if (queue->trouble.message != NULL)
		pfree(unconstify(char *, queue->trouble.message));
	queue->trouble = (IotDataFailure) {.sqlstate = failure->sqlstate, .message = message};
}
