/*
 * target_queue.h
 *		What the outbox has for one target: its calls, its breaker, and the
 *		messages that wait for it.
 */
#ifndef IOTDATA_OUTBOX_TARGET_QUEUE_H
#define IOTDATA_OUTBOX_TARGET_QUEUE_H

#include "postgres.h"

#include "call/callset.h"
#include "error/failure.h"
#include "lib/ilist.h"
#include "outbox/breaker.h"
#include "outbox/window.h"
#include "target/target.h"

/* A target has up to so many times in flight what it leaves for others. */
#define IOTDATA_TARGET_SHARE 8

typedef struct IotDataTargetQueue
{
	dlist_node	node;			/* in the list of all */
	MemoryContext context;		/* all of it */
	const IotDataTarget *named; /* NULL: the default target */
	IotDataCallQueue *calls;	/* NULL: there were no credentials yet */
	IotDataBreaker breaker;
	int			in_flight;
	int64		moved_at;		/* the last answer, or when it was asked after
								 * nothing was in flight */
	dlist_head	waiting;		/* messages that are out of the window until
								 * the breaker lets them go, and there is a
								 * share for them, by turn */
	IotDataFailure trouble;		/* the last one; its message is a copy */
	bool		is_told;		/* the log knows that it takes nothing */
} IotDataTargetQueue;

/* All of them, and what waits in them together. */
typedef struct IotDataTargetQueues
{
	MemoryContext context;
	dlist_head	all;
	int			nqueues;
	int			free;			/* messages that may be sent besides those in
								 * flight: the sender's to keep */
	int			nwaiting;		/* messages, */
	size_t		waiting_bytes;	/* and about how many bytes they have */
} IotDataTargetQueues;

/* In the current memory context. */
extern void iotdata_target_queues_init(IotDataTargetQueues *queues);

/* That of a message; it is made when there is none. */
extern IotDataTargetQueue *iotdata_target_queue_get(IotDataTargetQueues *queues,
													const IotDataOutboxMessage *message);

/*
 * Make its queue of calls in "set", unless that is done. Waits for credentials.
 * Returns false with "failure" filled, in the current memory context, when there
 * are none, or no default target.
 */
extern bool iotdata_target_queue_open(IotDataTargetQueue *queue, IotDataCallSet *set,
									  IotDataFailure *failure);

/* May a message be sent? In CLOCK_MONOTONIC, microseconds, as all here. */
extern bool iotdata_target_queue_allows(const IotDataTargetQueue *queue, int64 now);

/*
 * Has it a share left of what may be in flight? However many messages targets
 * have that are slow, there is room for another target's.
 */
extern bool iotdata_target_queue_has_share(const IotDataTargetQueues *queues,
										   const IotDataTargetQueue *queue);

/*
 * Is it worth taking a message out of the window: would a target take it, or is
 * one in the way of others? True when none is known yet.
 */
extern bool iotdata_target_queues_allow(const IotDataTargetQueues *queues, int64 now);

/* The first of the waiting messages that may be sent; NULL: none. Is there one? */
extern IotDataOutboxMessage *iotdata_target_queues_pop(IotDataTargetQueues *queues, int64 now);
extern bool iotdata_target_queues_can_pop(const IotDataTargetQueues *queues, int64 now);

/*
 * A message waits for its target, as the first or as the last. Returns false when
 * there are so many that they would keep those of other targets out of the
 * window.
 */
extern bool iotdata_target_queues_wait(IotDataTargetQueues *queues, IotDataTargetQueue *queue,
									   IotDataOutboxMessage *message, bool is_first);

/*
 * Do so many wait that another one had to be put off, of which some will soon be
 * sent? Then it is better not to take more out of the window.
 */
extern bool iotdata_target_queues_are_draining(const IotDataTargetQueues *queues, int64 now);

/*
 * Take all waiting messages out: calls "visit" with each, which may have another
 * target now, and puts it where it belongs. Queues of calls to the default
 * target are made anew, too, if its settings may have changed.
 */
extern void iotdata_target_queues_sort(IotDataTargetQueues *queues, bool settings,
									   void (*visit) (IotDataOutboxMessage *message, void *arg),
									   void *arg);

/*
 * Free those of servers that are of no use at the moment: nothing waits in them,
 * nothing is in flight, and they keep nobody from trying. A server that is
 * changed again and again leaves one behind each time. No message that has come
 * back may be left to be judged.
 */
extern void iotdata_target_queues_sweep(IotDataTargetQueues *queues, int64 now);

/* Is it to be opened: because a message waits for that, and the breaker allows? */
extern bool iotdata_target_queue_is_to_open(const IotDataTargetQueue *queue, int64 now);

/* The first message that waits for a target; there must be one. */
extern IotDataOutboxMessage *iotdata_target_queues_take(IotDataTargetQueues *queues,
														IotDataTargetQueue *queue);

/*
 * When one that takes nothing is tried again, one is to be opened, or it is worth
 * looking at all of them again; PG_INT64_MAX: never. "more": is there more in the
 * window, besides what waits here?
 */
extern int64 iotdata_target_queues_next_time(const IotDataTargetQueues *queues, bool more,
											 int64 now);

/* Keep what was wrong, for messages that are put off because of it. */
extern void iotdata_target_queue_note(IotDataTargetQueue *queue, const IotDataFailure *failure);

#endif							/* IOTDATA_OUTBOX_TARGET_QUEUE_H */
