/*
 * process.c
 *		The outbox at work: read, send, record, until there is nothing left.
 *
 * There is a transaction while rows are read, one while it is looked whether
 * messages still wait, and are sent, and one while rows are written.
 * None is open while the network is waited for. Before anything is read all
 * that is known is recorded, so that nothing that was sent is read again.
 */
#include "postgres.h"

#include "call/clock.h"
#include "outbox/feed.h"
#include "outbox/journal.h"
#include "outbox/process.h"
#include "outbox/record.h"
#include "outbox/retention.h"
#include "outbox/sender.h"
#include "outbox/transaction.h"
#include "outbox/window.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define RECORD_COUNT 256		/* results that are worth a transaction, */
#define RECORD_DELAY 10000		/* or this many microseconds after the first */
#define RECORD_PAUSE USECS_PER_SEC	/* when recording failed */
#define REFILL_DELAY 10000		/* microseconds from feed to feed for refills
								 * alone */

struct IotDataOutboxProcess
{
	MemoryContext context;
	bool		in_procedure;
	bool		removes;		/* one does that, for all shards */
	IotDataOutboxWindow *window;
	IotDataOutboxFeed *feed;
	IotDataOutboxRecorder *recorder;
	IotDataOutboxSender *sender;
	IotDataRetention retention;
	MemoryContext scratch;
	bool		woken;
	int64		fed_at;
};

IotDataOutboxProcess *
iotdata_process_create(uint32 shards, bool in_procedure)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "iotdata outbox",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	IotDataOutboxProcess *process = palloc0(sizeof(*process));
	IotDataJournal *journal;

	process->context = context;
	process->in_procedure = in_procedure;
	process->removes = (shards & 1) != 0;
	process->scratch = AllocSetContextCreate(context, "iotdata outbox scratch",
											 ALLOCSET_DEFAULT_SIZES);
	process->window = iotdata_window_create();
	journal = iotdata_journal_open(shards);
	process->feed = iotdata_feed_create(shards, journal);
	process->recorder = iotdata_recorder_create(process->window, process->feed, journal);
	process->sender = iotdata_sender_create(process->window, process->recorder, journal);
	process->woken = true;
	MemoryContextSwitchTo(caller);
	return process;
}

void
iotdata_process_delete(IotDataOutboxProcess *process)
{
	iotdata_sender_delete(process->sender);
	MemoryContextDelete(process->context);
}

void
iotdata_process_wake(IotDataOutboxProcess *process)
{
	process->woken = true;
	/* a message that was cancelled has ended, too */
	iotdata_retention_note_ended(&process->retention);
}

void
iotdata_process_note_settings(IotDataOutboxProcess *process)
{
	iotdata_sender_note_settings(process->sender);
}

TimestampTz
iotdata_process_next_due(const IotDataOutboxProcess *process)
{
	TimestampTz retention = process->removes ? iotdata_retention_next_due(&process->retention) : DT_NOEND;

	return Min(iotdata_feed_next_due(process->feed), retention);
}

int64
iotdata_process_count(const IotDataOutboxProcess *process)
{
	return iotdata_sender_count(process->sender);
}

/* ---- recording ---- */

static void
record(IotDataOutboxProcess *process)
{
	MemoryContext caller = CurrentMemoryContext;

	if (!iotdata_sender_has_failures(process->sender) &&
		iotdata_recorder_count(process->recorder) == 0 &&
		iotdata_clock_monotonic() < iotdata_recorder_held_at(process->recorder))
		return;
	iotdata_outbox_begin(process->in_procedure);
	MemoryContextSwitchTo(process->scratch);
	iotdata_sender_judge(process->sender);
	iotdata_sender_follow_targets(process->sender);
	iotdata_recorder_write(process->recorder);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(process->scratch);
	iotdata_outbox_commit(process->in_procedure);
	iotdata_recorder_has_committed(process->recorder);
	iotdata_retention_note_ended(&process->retention);
	MemoryContextSwitchTo(caller);
}

/* ---- what has ended long ago ---- */

static bool
should_remove(const IotDataOutboxProcess *process)
{
	return process->removes && !iotdata_recorder_is_failing(process->recorder) &&
		iotdata_retention_is_due(&process->retention);
}

static void
remove_old(IotDataOutboxProcess *process)
{
	MemoryContext caller = CurrentMemoryContext;

	iotdata_outbox_begin(process->in_procedure);
	MemoryContextSwitchTo(process->scratch);
	iotdata_retention_step(&process->retention);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(process->scratch);
	iotdata_outbox_commit(process->in_procedure);
	MemoryContextSwitchTo(caller);
}

/* ---- when to record ---- */

static bool
is_idle(const IotDataOutboxProcess *process)
{
	return iotdata_sender_in_flight(process->sender) == 0 &&
		!iotdata_window_is_ready(process->window);
}

/* When recording that failed is tried again. */
static int64
record_again_at(const IotDataOutboxProcess *process)
{
	int64		held_at = iotdata_recorder_held_at(process->recorder);

	if (iotdata_recorder_count(process->recorder) == 0)
		return held_at;
	return Min(held_at, iotdata_recorder_since(process->recorder) + RECORD_PAUSE);
}

static bool
should_record(const IotDataOutboxProcess *process, int64 now)
{
	int			count = iotdata_recorder_count(process->recorder);
	int64		since = iotdata_recorder_since(process->recorder);

	if (iotdata_recorder_is_failing(process->recorder))
		return now >= record_again_at(process);
	return iotdata_sender_has_failures(process->sender) || count >= RECORD_COUNT ||
		now >= iotdata_recorder_held_at(process->recorder) ||
		(count > 0 && (now >= since + RECORD_DELAY || is_idle(process)));
}

/* ---- reading ---- */

static bool
should_feed(const IotDataOutboxProcess *process, int64 now)
{
	if (!iotdata_window_has_room(process->window) ||
		iotdata_recorder_is_failing(process->recorder))
		return false;
	if (process->woken || iotdata_feed_next_due(process->feed) <= GetCurrentTimestamp())
		return true;
	if (!iotdata_feed_has_more(process->feed) && !iotdata_window_is_hungry(process->window))
		return false;
	return !iotdata_window_is_ready(process->window) || now >= process->fed_at + REFILL_DELAY;
}

static void
feed(IotDataOutboxProcess *process)
{
	MemoryContext caller = CurrentMemoryContext;

	record(process);
	if (iotdata_recorder_is_failing(process->recorder))
		return;
	process->woken = false;
	iotdata_outbox_begin(process->in_procedure);
	MemoryContextSwitchTo(process->scratch);
	iotdata_feed_read(process->feed, process->window);
	iotdata_sender_follow_targets(process->sender);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(process->scratch);
	iotdata_outbox_commit(process->in_procedure);
	MemoryContextSwitchTo(caller);
	process->fed_at = iotdata_clock_monotonic();
}

/* ---- sending ---- */

static void
dispatch(IotDataOutboxProcess *process, int64 max)
{
	MemoryContext caller = CurrentMemoryContext;

	if (iotdata_recorder_is_failing(process->recorder) ||
		!iotdata_sender_may_dispatch(process->sender, max))
		return;
	iotdata_outbox_begin(process->in_procedure);
	MemoryContextSwitchTo(caller);
	iotdata_sender_follow_targets(process->sender);
	iotdata_sender_dispatch(process->sender, max);
	iotdata_outbox_commit(process->in_procedure);
	MemoryContextSwitchTo(caller);
}

/* ---- the turn ---- */

/* A time of the wall clock, as one of CLOCK_MONOTONIC. */
static int64
from_wall_clock(TimestampTz at, int64 now)
{
	if (at == DT_NOEND)
		return PG_INT64_MAX;
	if (at == DT_NOBEGIN)
		return now;
	return now + Max(at - GetCurrentTimestamp(), 0);
}

/* When there is something to do that nobody tells of. */
static int64
next_time(const IotDataOutboxProcess *process, int64 now)
{
	int64		next = from_wall_clock(iotdata_feed_next_due(process->feed), now);
	int64		removal = from_wall_clock(iotdata_retention_next_due(&process->retention), now);

	if (iotdata_recorder_is_failing(process->recorder))
		return record_again_at(process);
	if (iotdata_recorder_count(process->recorder) > 0)
		next = Min(next, iotdata_recorder_since(process->recorder) + RECORD_DELAY);
	if (process->removes)
		next = Min(next, Max(removal, process->retention.not_before));
	next = Min(next, iotdata_sender_next_time(process->sender));
	next = Min(next, iotdata_recorder_held_at(process->recorder));
	if (should_feed(process, now) || should_record(process, now))
		next = now;
	return next;
}

/* Is anything under way, or to be done at once? */
static bool
is_busy(const IotDataOutboxProcess *process, int64 now)
{
	return iotdata_sender_is_busy(process->sender) ||
		iotdata_recorder_count(process->recorder) > 0 || should_feed(process, now) ||
		(process->removes && !process->in_procedure && process->retention.has_more);
}

bool
iotdata_process_work(IotDataOutboxProcess *process, int64 max)
{
	int64		now = iotdata_clock_monotonic();

	if (should_record(process, now))
		record(process);
	if (should_feed(process, now))
		feed(process);
	if (should_remove(process))
		remove_old(process);
	iotdata_sender_open_targets(process->sender);
	dispatch(process, max);
	return is_busy(process, iotdata_clock_monotonic());
}

void
iotdata_process_wait(IotDataOutboxProcess *process, int64 until)
{
	int64		now = iotdata_clock_monotonic();

	iotdata_sender_wait(process->sender, Min(next_time(process, now), until));
}

bool
iotdata_process_has_unrecorded(const IotDataOutboxProcess *process)
{
	return iotdata_recorder_held_at(process->recorder) != PG_INT64_MAX;
}

bool
iotdata_process_is_held(const IotDataOutboxProcess *process)
{
	return iotdata_recorder_is_failing(process->recorder) ||
		iotdata_sender_is_held(process->sender);
}

void
iotdata_process_finish(IotDataOutboxProcess *process, int64 until)
{
	while (iotdata_sender_in_flight(process->sender) > 0 &&
		   iotdata_clock_monotonic() < until)
		iotdata_sender_wait(process->sender, until);
	record(process);
}
