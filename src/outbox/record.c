/*
 * record.c
 *		What became of messages, written down.
 *
 * All that is known is written at once. When that fails for a reason that would
 * stop anything (a full disk), it is all kept, and nothing is sent meanwhile.
 * When it fails otherwise, halves of it are tried, down to the one message
 * whose row is the reason: that one is held in memory, not sent again, and
 * tried from time to time.
 */
#include "postgres.h"

#include "call/clock.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "outbox/claims.h"
#include "outbox/record.h"
#include "outbox/statement.h"
#include "outbox/transaction.h"
#include "settings/settings.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* messages that are held before nothing is sent any more */
#define MAX_HELD 64

/* microseconds until those are tried again */
#define HELD_PAUSE (10 * USECS_PER_SEC)

struct IotDataOutboxRecorder
{
	MemoryContext context;
	MemoryContext scratch;		/* while writing */
	IotDataOutboxWindow *window;
	IotDataOutboxFeed *feed;
	IotDataJournal *journal;
	List	   *written;		/* of IotDataJournalKey: not committed yet */
	dlist_head	messages;
	int			count;
	int64		since;
	dlist_head	held;
	int			nheld;
	int64		held_since;
	bool		failing;
};

/* Messages to be written in one subtransaction. */
typedef struct Batch
{
	IotDataOutboxRecorder *recorder;
	IotDataOutboxMessage **messages;
	bool	   *gone;			/* of a retry: its row is not there any more */
	int			count;
} Batch;

#define ENDED_COLUMNS \
	"device, payload_type, server, queued_at, expires_at, client_id, topic, payload, " \
	"content_type, response_topic, confirmation, timeout, user_properties, " \
	"payload_format_indicator, correlation_data"

static IotDataStatement delivered_statement = {
	.text = "WITH gone AS (DELETE FROM iotdata.outbox WHERE id = ANY ($1) RETURNING id, owner) "
	"INSERT INTO iotdata.outbox_ended (id, state, ended_at, attempts, unknown, owner) "
	"SELECT g.id, 'delivered', clock_timestamp(), r.attempts, r.unknown, g.owner "
	"FROM gone g JOIN ROWS FROM (unnest($1), unnest($2), unnest($3)) r(id, attempts, unknown) ON r.id = g.id "
	"ON CONFLICT (id) DO NOTHING",
	.narguments = 3,
	.types = {INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID}
};

static IotDataStatement forget_statement = {
	.text = "DELETE FROM iotdata.outbox WHERE id = ANY ($1)",
	.narguments = 1,
	.types = {INT8ARRAYOID}
};

static IotDataStatement given_up_statement = {
	.text = "WITH gone AS (DELETE FROM iotdata.outbox WHERE id = $1 RETURNING *) "
	"INSERT INTO iotdata.outbox_ended (id, state, ended_at, attempts, unknown, owner, error_code, error_message, " ENDED_COLUMNS ") "
	"SELECT g.id, $2, clock_timestamp(), $3, $4, g.owner, "
	"coalesce($5, (SELECT r.error_code FROM iotdata.outbox_retry r WHERE r.device = g.device AND r.head = g.id)), "
	"coalesce($6, (SELECT r.error_message FROM iotdata.outbox_retry r WHERE r.device = g.device AND r.head = g.id)), " ENDED_COLUMNS " "
	"FROM gone g ON CONFLICT (id) DO NOTHING",
	.narguments = 6,
	.types = {INT8OID, TEXTOID, INT4OID, INT4OID, TEXTOID, TEXTOID}
};

static IotDataStatement retry_statement = {
	.text = "INSERT INTO iotdata.outbox_retry (device, head, due, attempts, unknown, owner, error_code, error_message) "
	"SELECT device, id, $2, $3, $4, owner, $5, $6 FROM iotdata.outbox WHERE id = $1 "
	"ON CONFLICT (device) DO UPDATE SET head = excluded.head, due = excluded.due, attempts = excluded.attempts, "
	"unknown = excluded.unknown, owner = excluded.owner, error_code = excluded.error_code, error_message = excluded.error_message",
	.narguments = 6,
	.types = {INT8OID, TIMESTAMPTZOID, INT4OID, INT4OID, TEXTOID, TEXTOID}
};

static IotDataStatement settled_statement = {
	.text = "DELETE FROM iotdata.outbox_retry WHERE device = ANY ($1)",
	.narguments = 1,
	.types = {INT8ARRAYOID}
};

IotDataOutboxRecorder *
iotdata_recorder_create(IotDataOutboxWindow *window, IotDataOutboxFeed *feed,
						IotDataJournal *journal)
{
	IotDataOutboxRecorder *recorder = palloc0(sizeof(*recorder));

	recorder->context = CurrentMemoryContext;
	recorder->scratch = AllocSetContextCreate(CurrentMemoryContext, "iotdata outbox record",
											  ALLOCSET_DEFAULT_SIZES);
	recorder->window = window;
	recorder->feed = feed;
	recorder->journal = journal;
	dlist_init(&recorder->messages);
	dlist_init(&recorder->held);
	return recorder;
}

void
iotdata_recorder_add(IotDataOutboxRecorder *recorder, IotDataOutboxMessage *message)
{
	if (message->verdict != IOTDATA_OUTBOX_RETRY)
		iotdata_window_release(recorder->window, message);
	if (recorder->count++ == 0)
		recorder->since = iotdata_clock_monotonic();
	dlist_push_tail(&recorder->messages, &message->node);
}

int
iotdata_recorder_count(const IotDataOutboxRecorder *recorder)
{
	const int64 *keys;

	return recorder->count + iotdata_window_settled(recorder->window, &keys);
}

int64
iotdata_recorder_since(const IotDataOutboxRecorder *recorder)
{
	return recorder->since;
}

bool
iotdata_recorder_is_failing(const IotDataOutboxRecorder *recorder)
{
	return recorder->failing || recorder->nheld >= MAX_HELD;
}

/* ---- the statements ---- */

static void
write_delivered(const Batch *batch)
{
	int64	   *ids = palloc(sizeof(int64) * batch->count);
	int32	   *attempts = palloc(sizeof(int32) * batch->count);
	int32	   *unknown = palloc(sizeof(int32) * batch->count);
	Datum		values[3];
	int			count = 0;

	for (int i = 0; i < batch->count; i++)
	{
		if (batch->messages[i]->verdict != IOTDATA_OUTBOX_DELIVERED)
			continue;
		ids[count] = batch->messages[i]->id;
		attempts[count] = batch->messages[i]->attempts;
		unknown[count++] = batch->messages[i]->unknown;
	}
	if (count == 0)
		return;
	values[0] = iotdata_statement_int8s(ids, count);
	values[1] = iotdata_statement_int4s(attempts, count);
	values[2] = iotdata_statement_int4s(unknown, count);
	iotdata_statement_run(iotdata_outbox_retention == 0 ? &forget_statement : &delivered_statement,
						  values, NULL);
}

/* The last error of a message, as arguments that may be null. */
static void
set_error(const IotDataOutboxMessage *message, Datum *values, char *nulls)
{
	const IotDataFailure *failure = message->failure;

	nulls[0] = nulls[1] = failure == NULL ? 'n' : ' ';
	if (failure == NULL)
		return;
	values[0] = CStringGetTextDatum(unpack_sql_state(failure->sqlstate));
	values[1] = CStringGetTextDatum(failure->message);
}

static void
write_given_up(const IotDataOutboxMessage *message)
{
	const char *state = message->verdict == IOTDATA_OUTBOX_FAILED ? "failed" : "expired";
	char		nulls[] = "      ";
	Datum		values[6];

	values[0] = Int64GetDatum(message->id);
	values[1] = CStringGetTextDatum(state);
	values[2] = Int32GetDatum(message->attempts);
	values[3] = Int32GetDatum(message->unknown);
	set_error(message, &values[4], &nulls[4]);
	iotdata_statement_run(&given_up_statement, values, nulls);
}

/* Returns false when the message is not there any more. */
static bool
write_retry(const IotDataOutboxMessage *message)
{
	char		nulls[] = "      ";
	Datum		values[6];

	values[0] = Int64GetDatum(message->id);
	values[1] = TimestampTzGetDatum(message->due);
	values[2] = Int32GetDatum(message->attempts);
	values[3] = Int32GetDatum(message->unknown);
	set_error(message, &values[4], &nulls[4]);
	return iotdata_statement_run(&retry_statement, values, nulls) > 0;
}

static void
write_settled(const IotDataOutboxRecorder *recorder)
{
	const int64 *keys;
	int			count = iotdata_window_settled(recorder->window, &keys);
	Datum		value;

	if (count == 0)
		return;
	value = iotdata_statement_int8s(keys, count);
	iotdata_statement_run(&settled_statement, &value, NULL);
}

static void
write_batch(void *arg)
{
	Batch	   *batch = arg;

	write_delivered(batch);
	for (int i = 0; i < batch->count; i++)
	{
		IotDataOutboxVerdict verdict = batch->messages[i]->verdict;

		if (verdict == IOTDATA_OUTBOX_FAILED || verdict == IOTDATA_OUTBOX_EXPIRED)
			write_given_up(batch->messages[i]);
	}
	/* a retry below may be for the same device */
	write_settled(batch->recorder);
	for (int i = 0; i < batch->count; i++)
	{
		if (batch->messages[i]->verdict == IOTDATA_OUTBOX_RETRY)
			batch->gone[i] = !write_retry(batch->messages[i]);
	}
}

/* ---- what follows ---- */

/* The journal is to forget it, when that is committed. */
static void
note_written(IotDataOutboxRecorder *recorder, const IotDataOutboxMessage *message)
{
	MemoryContext caller = MemoryContextSwitchTo(recorder->context);
	IotDataJournalKey *key = palloc(sizeof(*key));

	*key = iotdata_window_journal_key(message);
	recorder->written = lappend(recorder->written, key);
	MemoryContextSwitchTo(caller);
}

/* A message is written: it is of no more use here. */
static void
finish_message(IotDataOutboxRecorder *recorder, IotDataOutboxMessage *message, bool gone)
{
	IotDataOutboxDevice *device = message->device;

	if (message->verdict == IOTDATA_OUTBOX_RETRY)
	{
		device->out = NULL;
		/* somebody cancelled it meanwhile: what follows it is not blocked */
		if (gone)
			iotdata_window_read_from(recorder->window, device, 0);
		else
		{
			iotdata_feed_note_due(recorder->feed, message->due);
			iotdata_window_forget(recorder->window, device);
		}
	}
	iotdata_window_let_go(recorder->window, message->id);
	note_written(recorder, message);
	iotdata_window_free(recorder->window, message);
}

/* Keep a message whose row cannot be written. */
static void
hold_message(IotDataOutboxRecorder *recorder, IotDataOutboxMessage *message,
			 const ErrorData *error)
{
	if (!iotdata_window_holds(recorder->window, message->id))
		ereport(WARNING,
				errcode(error->sqlerrcode),
				errmsg("what became of message " INT64_FORMAT " of the outbox could not be recorded: %s",
					   message->id, error->message),
				errdetail("It is not sent again, and will be recorded later."));
	iotdata_window_hold(recorder->window, message->id);
	dlist_push_tail(&recorder->held, &message->node);
	recorder->nheld++;
	recorder->held_since = iotdata_clock_monotonic();
}

/* Would anything else fail for the same reason? */
static bool
is_everybodys(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_OPERATOR_INTERVENTION ||
		category == ERRCODE_SYSTEM_ERROR || error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
		error->sqlerrcode == ERRCODE_UNDEFINED_TABLE;
}

static void
keep(IotDataOutboxRecorder *recorder, const Batch *batch)
{
	for (int i = 0; i < batch->count; i++)
	{
		recorder->count++;
		dlist_push_tail(&recorder->messages, &batch->messages[i]->node);
	}
	recorder->since = iotdata_clock_monotonic();
}

static void
fail(IotDataOutboxRecorder *recorder, const Batch *batch, const ErrorData *error)
{
	if (!recorder->failing)
		ereport(WARNING,
				errcode(error->sqlerrcode),
				errmsg("what became of messages of the outbox could not be recorded: %s",
					   error->message),
				errdetail("Nothing is sent until it is."));
	recorder->failing = true;
	keep(recorder, batch);
}

static void
write_or_split(IotDataOutboxRecorder *recorder, Batch *batch)
{
	Batch		half = *batch;
	ErrorData  *error;

	if (recorder->failing && batch->count > 0)
	{
		keep(recorder, batch);
		return;
	}
	if (iotdata_outbox_try(write_batch, batch, &error))
	{
		iotdata_window_clear_settled(recorder->window);
		for (int i = 0; i < batch->count; i++)
			finish_message(recorder, batch->messages[i], batch->gone[i]);
	}
	else if (batch->count == 0 || is_everybodys(error))
		fail(recorder, batch, error);
	else if (batch->count == 1)
		hold_message(recorder, batch->messages[0], error);
	else
	{
		half.count = batch->count / 2;
		write_or_split(recorder, &half);
		half.messages += half.count;
		half.gone += half.count;
		half.count = batch->count - half.count;
		write_or_split(recorder, &half);
	}
}

int64
iotdata_recorder_held_at(const IotDataOutboxRecorder *recorder)
{
	return recorder->nheld == 0 ? PG_INT64_MAX : recorder->held_since + HELD_PAUSE;
}

/* What was held is tried once more. */
static void
take_held(IotDataOutboxRecorder *recorder)
{
	if (iotdata_clock_monotonic() < iotdata_recorder_held_at(recorder))
		return;
	while (!dlist_is_empty(&recorder->held))
	{
		dlist_push_tail(&recorder->messages, dlist_pop_head_node(&recorder->held));
		recorder->count++;
	}
	recorder->nheld = 0;
}

void
iotdata_recorder_write(IotDataOutboxRecorder *recorder)
{
	MemoryContext caller = MemoryContextSwitchTo(recorder->scratch);
	Batch		batch = {.recorder = recorder};

	take_held(recorder);
	batch.messages = palloc(sizeof(IotDataOutboxMessage *) * Max(recorder->count, 1));
	batch.gone = palloc0(sizeof(bool) * Max(recorder->count, 1));
	while (!dlist_is_empty(&recorder->messages))
		batch.messages[batch.count++] = dlist_container(IotDataOutboxMessage, node,
														dlist_pop_head_node(&recorder->messages));
	recorder->count = 0;
	recorder->failing = false;
	if (batch.count > 0 || iotdata_recorder_count(recorder) > 0)
		write_or_split(recorder, &batch);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(recorder->scratch);
}

void
iotdata_recorder_has_committed(IotDataOutboxRecorder *recorder)
{
	ListCell   *cell;

	foreach(cell, recorder->written)
	{
		const IotDataJournalKey *key = lfirst(cell);

		iotdata_journal_remove(recorder->journal, key);
		iotdata_claims_release(key->id);
	}
	list_free_deep(recorder->written);
	recorder->written = NIL;
}
