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

#include "answer/error_report.h"
#include "call/callset.h"
#include "call/clock.h"
#include "error/raise.h"
#include "outbox/breaker.h"
#include "outbox/sender.h"
#include "outbox/target.h"
#include "settings/settings.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

struct IotDataOutboxSender
{
	IotDataOutboxWindow *window;
	IotDataOutboxRecorder *recorder;
	IotDataCallSet *set;
	IotDataBreaker breaker;
	dlist_head	failures;		/* calls without a good answer */
	int			in_flight;
	int64		count;
	MemoryContext scratch;
};

IotDataOutboxSender *
iotdata_sender_create(IotDataOutboxWindow *window, IotDataOutboxRecorder *recorder)
{
	IotDataOutboxSender *sender = palloc0(sizeof(*sender));
	IotDataTarget target;
	IotDataFailure failure;

	if (!iotdata_outbox_target(NULL, InvalidOid, &target, &failure))
		iotdata_raise(&failure);
	sender->window = window;
	sender->recorder = recorder;
	sender->set = iotdata_callset_create(&target);
	iotdata_callset_leave_retries(sender->set, iotdata_outbox_concurrency);
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

int64
iotdata_sender_held_until(const IotDataOutboxSender *sender)
{
	return iotdata_breaker_is_open(&sender->breaker) ? sender->breaker.probe_at : 0;
}

bool
iotdata_sender_has_room(const IotDataOutboxSender *sender)
{
	return iotdata_callset_has_room(sender->set) &&
		iotdata_breaker_allows(&sender->breaker, sender->in_flight, iotdata_clock_monotonic());
}

/* ---- out ---- */

static void
end_message(IotDataOutboxSender *sender, IotDataOutboxMessage *message,
			IotDataOutboxVerdict verdict)
{
	message->verdict = verdict;
	iotdata_recorder_add(sender->recorder, message);
}

static void
send(IotDataOutboxSender *sender, IotDataOutboxMessage *message)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata outbox call",
												  ALLOCSET_SMALL_SIZES);

	message->attempts++;
	sender->in_flight++;
	sender->count++;
	iotdata_callset_add(sender->set, context, message->request, message);
}

void
iotdata_sender_dispatch(IotDataOutboxSender *sender, int64 max)
{
	TimestampTz now = GetCurrentTimestamp();
	IotDataOutboxMessage *message;

	while (sender->count < max && iotdata_sender_has_room(sender) &&
		   (message = iotdata_window_pop_ready(sender->window)) != NULL)
	{
		if (message->request == NULL)
			end_message(sender, message, IOTDATA_OUTBOX_FAILED);
		else if (message->expires_at <= now)
			end_message(sender, message, IOTDATA_OUTBOX_EXPIRED);
		else
			send(sender, message);
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

void
iotdata_sender_wait(IotDataOutboxSender *sender, int64 until)
{
	IotDataCall *call;

	while ((call = iotdata_callset_poll(sender->set, until)) != NULL)
	{
		until = 0;
		sender->in_flight--;
		if (!is_delivered(call))
		{
			dlist_push_tail(&sender->failures, &call->node);
			continue;
		}
		iotdata_breaker_succeeded(&sender->breaker);
		end_message(sender, call->owner, IOTDATA_OUTBOX_DELIVERED);
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

/* The message keeps why it was not delivered. */
static void
keep_failure(IotDataOutboxMessage *message, const IotDataCall *call)
{
	IotDataFailure failure;
	IotDataFailure *kept;

	if (call->failure != NULL)
		failure = *call->failure;
	else
		iotdata_error_report(call, &failure);
	kept = MemoryContextAllocZero(message->context, sizeof(*kept));
	kept->sqlstate = failure.sqlstate;
	kept->message = MemoryContextStrdup(message->context, failure.message);
	message->failure = kept;
}

/* Tell the breaker, and the log when nothing is sent from now on. */
static void
note_trouble(IotDataOutboxSender *sender, const IotDataOutboxMessage *message,
			 bool target)
{
	if (iotdata_breaker_failed(&sender->breaker, target, iotdata_clock_monotonic()))
		ereport(WARNING,
				errcode(message->failure->sqlstate),
				errmsg("the outbox waits: %s", message->failure->message),
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

static void
judge(IotDataOutboxSender *sender, IotDataCall *call)
{
	IotDataOutboxMessage *message = call->owner;
	IotDataOutboxAttempt attempt = describe(call);
	IotDataOutboxVerdict verdict = iotdata_outbox_judge(&attempt);
	bool		unknown = iotdata_outbox_is_unknown(&attempt);

	keep_failure(message, call);
	message->unknown += unknown;
	if (verdict == IOTDATA_OUTBOX_HOLD || unknown)
		note_trouble(sender, message, verdict == IOTDATA_OUTBOX_HOLD);
	else
		iotdata_breaker_succeeded(&sender->breaker);
	switch (verdict)
	{
		case IOTDATA_OUTBOX_HOLD:
			iotdata_window_put_back(sender->window, message);
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
