/*
 * sender.c
 *		Messages of the window on their way to the service.
 *
 * The call set makes one attempt for each; what comes after is decided here.
 * A delivered message is done at once. Any other answer waits for the next
 * transaction, because what it says has to be converted, and its device waits
 * with it. A call has a context of its own, and the message another: a message
 * that did not arrive through no fault of its device is sent again.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "answer/error_report.h"
#include "call/callset.h"
#include "call/clock.h"
#include "error/raise.h"
#include "outbox/claims.h"
#include "outbox/relation.h"
#include "outbox/row.h"
#include "outbox/sender.h"
#include "outbox/target_queue.h"
#include "settings/settings.h"
#include "target/find.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* microseconds */
#define PUT_OFF (30 * USECS_PER_SEC)
#define CONTESTED_DELAY 250000

struct IotDataOutboxSender
{
	IotDataOutboxWindow *window;
	IotDataOutboxRecorder *recorder;
	IotDataJournal *journal;
	IotDataCallSet *set;
	IotDataTargetQueues queues;
	dlist_head	contested;		/* messages that somebody is cancelling,
								 * perhaps */
	int64		contested_until;	/* when to look at them again */
	dlist_head	failures;		/* calls without a good answer */
	int			in_flight;
	int64		count;
	uint64		changes;		/* of targets that have been followed */
	bool		has_new_settings;
	MemoryContext scratch;
};

IotDataOutboxSender *
iotdata_sender_create(IotDataOutboxWindow *window, IotDataOutboxRecorder *recorder,
					  IotDataJournal *journal)
{
	IotDataOutboxSender *sender = palloc0(sizeof(*sender));

	/* what one target may have in flight, and the share of others besides */
	int			room = iotdata_outbox_concurrency + iotdata_outbox_concurrency / IOTDATA_TARGET_SHARE + 1;

	sender->window = window;
	sender->recorder = recorder;
	sender->journal = journal;
	sender->set = iotdata_callset_create();
	iotdata_callset_leave_retries(sender->set, room);
	iotdata_target_queues_init(&sender->queues);
	dlist_init(&sender->contested);
	sender->queues.free = room;
	dlist_init(&sender->failures);
	sender->scratch = AllocSetContextCreate(CurrentMemoryContext, "iotdata outbox answers",
											ALLOCSET_DEFAULT_SIZES);
	return sender;
}

void
iotdata_sender_delete(IotDataOutboxSender *sender)
{
	iotdata_callset_delete(sender->set);
}

int64
iotdata_sender_count(const IotDataOutboxSender *sender)
{
	return sender->count;
}

int
iotdata_sender_in_flight(const IotDataOutboxSender *sender)
{
	return sender->in_flight;
}

/* Is there a message that waits for nothing but its target? */
static bool
has_messages(const IotDataOutboxSender *sender)
{
	return sender->queues.nwaiting > 0 || iotdata_window_is_ready(sender->window) ||
		!dlist_is_empty(unconstify(dlist_head *, &sender->contested));
}

bool
iotdata_sender_is_busy(const IotDataOutboxSender *sender)
{
	return sender->in_flight > 0 || has_messages(sender) || iotdata_sender_has_failures(sender);
}

int64
iotdata_sender_next_time(const IotDataOutboxSender *sender)
{
	int64		next = PG_INT64_MAX;

	if (!dlist_is_empty(unconstify(dlist_head *, &sender->contested)))
		next = sender->contested_until;
	if (!has_messages(sender))
		return next;
	return Min(next, iotdata_target_queues_next_time(&sender->queues,
													 iotdata_window_is_ready(sender->window),
													 iotdata_clock_monotonic()));
}

bool
iotdata_sender_is_held(const IotDataOutboxSender *sender)
{
	return sender->in_flight == 0 && has_messages(sender) &&
		!iotdata_sender_may_dispatch(sender, PG_INT64_MAX) &&
		iotdata_sender_next_time(sender) > iotdata_clock_monotonic();
}

/* ---- out ---- */

static void
end_message(IotDataOutboxSender *sender, IotDataOutboxMessage *message,
			IotDataOutboxVerdict verdict)
{
	message->verdict = verdict;
	iotdata_recorder_add(sender->recorder, message);
}

static MemoryContext
create_call_context(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "iotdata outbox call", ALLOCSET_SMALL_SIZES);
}

/* An attempt that could not be made, with its failure in its context. */
static void
fail_attempt(IotDataOutboxSender *sender, IotDataOutboxMessage *message,
			 MemoryContext context, const IotDataFailure *failure)
{
	IotDataFailure *copy = MemoryContextAlloc(context, sizeof(*copy));
	IotDataCall *call = MemoryContextAllocZero(context, sizeof(*call));

	*copy = *failure;
	call->context = context;
	call->owner = message;
	call->failure = copy;
	message->attempts++;
	sender->count++;
	dlist_push_tail(&sender->failures, &call->node);
}

/*
 * Make the target's queue of calls. Without one its first message has failed,
 * as if it had been tried.
 */
static void
open_target(IotDataOutboxSender *sender, IotDataTargetQueue *queue)
{
	MemoryContext context = create_call_context();
	MemoryContext caller = MemoryContextSwitchTo(context);
	IotDataFailure failure;
	bool		is_open = iotdata_target_queue_open(queue, sender->set, &failure);

	MemoryContextSwitchTo(caller);
	if (is_open)
	{
		MemoryContextDelete(context);
		return;
	}
	iotdata_breaker_sent(&queue->breaker, iotdata_clock_monotonic());
	fail_attempt(sender, iotdata_target_queues_take(&sender->queues, queue), context, &failure);
}

static void
send(IotDataOutboxSender *sender, IotDataOutboxMessage *message)
{
	MemoryContext context = create_call_context();
	IotDataJournalKey key = iotdata_window_journal_key(message);

	iotdata_journal_add(sender->journal, &key);
	message->attempts++;
	sender->count++;
	sender->in_flight++;
	iotdata_breaker_sent(&message->queue->breaker, iotdata_clock_monotonic());
	sender->queues.free--;
	if (message->queue->in_flight++ == 0)
		message->queue->moved_at = iotdata_clock_monotonic();
	iotdata_callset_add(message->queue->calls, context, message->request, message);
}

/* The message keeps why it was not delivered. */
static void
keep_failure(IotDataOutboxMessage *message, const IotDataFailure *failure)
{
	IotDataFailure *kept = MemoryContextAllocZero(message->context, sizeof(*kept));

	kept->sqlstate = failure->sqlstate;
	kept->message = MemoryContextStrdup(message->context, failure->message);
	message->failure = kept;
}

/*
 * The target takes nothing now, or has its share in flight. What does not fit
 * among those that wait here is put off, as if it had been tried.
 */
static void
wait_for_target(IotDataOutboxSender *sender, IotDataOutboxMessage *message)
{
	if (iotdata_target_queues_wait(&sender->queues, message->queue, message, false))
	{
		iotdata_claims_release(message->id);
		return;
	}
	if (message->queue->trouble.message != NULL)
		keep_failure(message, &message->queue->trouble);
	message->due = GetCurrentTimestamp() +
		Min(PUT_OFF, iotdata_outbox_max_retry_delay * INT64CONST(1000));
	end_message(sender, message, IOTDATA_OUTBOX_RETRY);
}

/*
 * Is the message this session's to send? If not, somebody is cancelling it,
 * perhaps, or has done so.
 */
static bool
claim(IotDataOutboxSender *sender, IotDataOutboxMessage *message, Relation outbox, Relation by_id)
{
	if (!iotdata_claims_take(message->id))
	{
		message->queue = NULL;
		dlist_push_tail(&sender->contested, &message->node);
		return false;
	}
	if (iotdata_outbox_row_is_there(outbox, by_id, message->id, message->xid))
		return true;
	iotdata_claims_release(message->id);
	/* it may have been queued again meanwhile, with its id */
	iotdata_window_read_from(sender->window, message->device, message->id);
	iotdata_window_release(sender->window, message);
	iotdata_window_free(sender->window, message);
	return false;
}

static void
dispatch(IotDataOutboxSender *sender, IotDataOutboxMessage *message, TimestampTz now)
{
	if (message->request == NULL)
		end_message(sender, message, IOTDATA_OUTBOX_FAILED);
	else if (message->expires_at <= now)
		end_message(sender, message, IOTDATA_OUTBOX_EXPIRED);
	else
	{
		message->queue = iotdata_target_queue_get(&sender->queues, message);
		if (message->queue->calls != NULL &&
			iotdata_target_queue_allows(message->queue, iotdata_clock_monotonic()) &&
			iotdata_target_queue_has_share(&sender->queues, message->queue))
			send(sender, message);
		else
			wait_for_target(sender, message);
	}
}

/* ---- which one ---- */

/* Those that were contested, once they are to be looked at again. */
static bool
may_retry_contested(const IotDataOutboxSender *sender, int64 clock)
{
	return !dlist_is_empty(unconstify(dlist_head *, &sender->contested)) &&
		clock >= sender->contested_until;
}

static void
retry_contested(IotDataOutboxSender *sender, int64 clock, dlist_head *contested)
{
	dlist_init(contested);
	if (!may_retry_contested(sender, clock))
		return;
	while (!dlist_is_empty(&sender->contested))
		dlist_push_tail(contested, dlist_pop_head_node(&sender->contested));
	sender->contested_until = clock + CONTESTED_DELAY;
}

static IotDataOutboxMessage *
next_message(IotDataOutboxSender *sender, int64 clock, dlist_head *contested)
{
	IotDataOutboxMessage *message;

	if (!dlist_is_empty(contested))
		return dlist_container(IotDataOutboxMessage, node, dlist_pop_head_node(contested));
	message = iotdata_target_queues_pop(&sender->queues, clock);
	if (message == NULL && iotdata_target_queues_allow(&sender->queues, clock) &&
		!iotdata_target_queues_are_draining(&sender->queues, clock))
		message = iotdata_window_pop_ready(sender->window);
	return message;
}

bool
iotdata_sender_may_dispatch(const IotDataOutboxSender *sender, int64 max)
{
	int64		clock = iotdata_clock_monotonic();

	return sender->count < max && iotdata_callset_has_room(sender->set) &&
		(may_retry_contested(sender, clock) ||
		 iotdata_target_queues_can_pop(&sender->queues, clock) ||
		 (iotdata_window_is_ready(sender->window) &&
		  iotdata_target_queues_allow(&sender->queues, clock) &&
		  !iotdata_target_queues_are_draining(&sender->queues, clock)));
}

void
iotdata_sender_dispatch(IotDataOutboxSender *sender, int64 max)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		clock = iotdata_clock_monotonic();
	Relation	outbox = table_open(iotdata_outbox_relation("outbox"), AccessShareLock);
	Relation	by_id = index_open(iotdata_outbox_relation("outbox_pkey"), AccessShareLock);
	dlist_head	contested;
	IotDataOutboxMessage *message;

	retry_contested(sender, clock, &contested);
	while (!dlist_is_empty(&contested) ||
		   (sender->count < max && iotdata_callset_has_room(sender->set)))
	{
		message = next_message(sender, clock, &contested);
		if (message == NULL)
			break;
		if (!claim(sender, message, outbox, by_id))
			continue;
		dispatch(sender, message, now);

		/*
		 * its target is opened first: what waits for it is no more than
		 * needed
		 */
		if (message->queue != NULL && iotdata_target_queue_is_to_open(message->queue, clock))
			break;
	}
	index_close(by_id, AccessShareLock);
	table_close(outbox, AccessShareLock);
}

/* ---- targets ---- */

void
iotdata_sender_open_targets(IotDataOutboxSender *sender)
{
	int64		clock = iotdata_clock_monotonic();
	dlist_iter	iter;

	dlist_foreach(iter, &sender->queues.all)
	{
		IotDataTargetQueue *queue = dlist_container(IotDataTargetQueue, node, iter.cur);

		if (iotdata_target_queue_is_to_open(queue, clock))
			open_target(sender, queue);
	}
}

/* ---- back ---- */

static bool
is_delivered(const IotDataCall *call)
{
	return call->failure == NULL &&
		iotdata_transfer_status(call->transfer) == IOTDATA_TRANSFER_ANSWERED &&
		iotdata_transfer_http_status(call->transfer) / 100 == 2;
}

static void
note_success(IotDataTargetQueue *queue)
{
	iotdata_breaker_succeeded(&queue->breaker);
	queue->is_told = false;
}

void
iotdata_sender_wait(IotDataOutboxSender *sender, int64 until)
{
	IotDataCall *call;

	while ((call = iotdata_callset_poll(sender->set, until)) != NULL)
	{
		IotDataOutboxMessage *message = call->owner;

		until = 0;
		sender->in_flight--;
		sender->queues.free++;
		message->queue->in_flight--;
		message->queue->moved_at = iotdata_clock_monotonic();
		if (!is_delivered(call))
		{
			dlist_push_tail(&sender->failures, &call->node);
			continue;
		}
		note_success(message->queue);
		end_message(sender, message, IOTDATA_OUTBOX_DELIVERED);
		MemoryContextDelete(call->context);
	}
}

bool
iotdata_sender_has_failures(const IotDataOutboxSender *sender)
{
	return !dlist_is_empty(unconstify(dlist_head *, &sender->failures));
}

/* ---- what it means ---- */

static IotDataOutboxAttempt
describe(const IotDataCall *call)
{
	IotDataOutboxAttempt attempt = {0};

	if (call->failure != NULL)
		return attempt;
	attempt.sent = iotdata_transfer_sent(call->transfer) != IOTDATA_SENT_NOTHING;
	if (iotdata_transfer_status(call->transfer) == IOTDATA_TRANSFER_ANSWERED)
		attempt.http_status = iotdata_transfer_http_status(call->transfer);
	attempt.not_found = attempt.http_status == 404 && iotdata_error_is_not_found(call);
	return attempt;
}

static void
keep_answer(IotDataOutboxMessage *message, const IotDataCall *call)
{
	IotDataFailure failure;

	if (call->failure != NULL)
		failure = *call->failure;
	else
		iotdata_error_report(call, &failure);
	keep_failure(message, &failure);
}

/*
 * Tell the breaker, and the log when nothing is sent from now on. That a role is
 * being assumed is nothing to tell.
 */
static void
note_trouble(const IotDataOutboxMessage *message, bool target)
{
	IotDataTargetQueue *queue = message->queue;

	iotdata_target_queue_note(queue, message->failure);
	iotdata_breaker_failed(&queue->breaker, target, iotdata_clock_monotonic());
	if (queue->is_told || !iotdata_breaker_is_open(&queue->breaker) ||
		message->failure->sqlstate == IOTDATA_CREDENTIALS_PENDING)
		return;
	queue->is_told = true;
	ereport(WARNING,
			errcode(message->failure->sqlstate),
			queue->named == NULL ?
			errmsg("the outbox waits: %s", message->failure->message) :
			errmsg("the outbox waits for server \"%s\": %s", queue->named->server,
				   message->failure->message),
			errdetail("A message is sent as a probe from time to time."));
}

/* When a message is tried again: in time to notice that it expires. */
static TimestampTz
next_attempt(const IotDataOutboxMessage *message)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		delay = iotdata_outbox_delay(message->attempts,
											 iotdata_outbox_retry_delay * INT64CONST(1000),
											 iotdata_outbox_max_retry_delay * INT64CONST(1000));

	return Min(now + delay, Max(message->expires_at, now));
}

/* It was not the device's fault: the message is the next one for its target. */
static void
hold(IotDataOutboxSender *sender, IotDataOutboxMessage *message)
{
	if (iotdata_target_queues_wait(&sender->queues, message->queue, message, true))
		return;
	message->due = next_attempt(message);
	end_message(sender, message, IOTDATA_OUTBOX_RETRY);
}

static void
judge(IotDataOutboxSender *sender, IotDataCall *call)
{
	IotDataOutboxMessage *message = call->owner;
	IotDataOutboxAttempt attempt = describe(call);
	IotDataOutboxVerdict verdict = iotdata_outbox_judge(&attempt);
	bool		unknown = iotdata_outbox_is_unknown(&attempt);
	IotDataJournalKey key = iotdata_window_journal_key(message);

	keep_answer(message, call);
	message->unknown += unknown;
	if (verdict == IOTDATA_OUTBOX_HOLD || unknown)
		note_trouble(message, verdict == IOTDATA_OUTBOX_HOLD);
	else
		note_success(message->queue);
	switch (verdict)
	{
		case IOTDATA_OUTBOX_HOLD:
			iotdata_journal_take_back(sender->journal, &key);
			iotdata_claims_release(message->id);
			hold(sender, message);
			break;
		case IOTDATA_OUTBOX_RETRY:
			message->due = next_attempt(message);
			end_message(sender, message, verdict);
			break;
		default:
			end_message(sender, message, verdict);
			break;
	}
}

void
iotdata_sender_judge(IotDataOutboxSender *sender)
{
	MemoryContext caller = MemoryContextSwitchTo(sender->scratch);

	while (iotdata_sender_has_failures(sender))
	{
		IotDataCall *call = dlist_container(IotDataCall, node,
											dlist_pop_head_node(&sender->failures));

		judge(sender, call);
		MemoryContextDelete(call->context);
		MemoryContextReset(sender->scratch);
	}
	MemoryContextSwitchTo(caller);
}

/* ---- changes ---- */

void
iotdata_sender_note_settings(IotDataOutboxSender *sender)
{
	sender->has_new_settings = true;
}

static void
check_message(IotDataOutboxMessage *message, void *roles)
{
	iotdata_outbox_row_check(message, roles);
}

void
iotdata_sender_follow_targets(IotDataOutboxSender *sender)
{
	MemoryContext caller;
	IotDataOutboxRoles *roles;
	dlist_iter	iter;

	if (sender->changes == iotdata_outbox_row_changes() && !sender->has_new_settings)
		return;
	caller = MemoryContextSwitchTo(sender->scratch);
	sender->changes = iotdata_outbox_row_changes();
	roles = iotdata_outbox_roles_create();
	iotdata_window_visit(sender->window, check_message, roles);
	dlist_foreach(iter, &sender->contested)
	{
		check_message(dlist_container(IotDataOutboxMessage, node, iter.cur), roles);
	}
	iotdata_target_queues_sort(&sender->queues, sender->has_new_settings, check_message, roles);
	sender->has_new_settings = false;
	if (!iotdata_sender_has_failures(sender))
		iotdata_target_queues_sweep(&sender->queues, iotdata_clock_monotonic());
	MemoryContextSwitchTo(caller);
	MemoryContextReset(sender->scratch);
}
