/*
 * retention.c
 *		Rows of messages that have ended, removed when they are old enough.
 *
 * A step goes on where the one before ended: the rows that those have deleted
 * are not passed again.
 */
#include "postgres.h"

#include "call/clock.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "outbox/retention.h"
#include "outbox/statement.h"
#include "outbox/transaction.h"
#include "settings/settings.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define NSTATES 4
#define STEP 1000				/* rows of a state */
#define PAUSE (50 * 1000)		/* microseconds from step to step */
#define FAILURE_PAUSE (60 * USECS_PER_SEC)

/* rows are removed this much later than they could be: many at once */
#define SLACK 8

static const char *const states[NSTATES] = {"delivered", "cancelled", "failed", "expired"};

static IotDataStatement remove_statement = {
	.text = "WITH gone AS (DELETE FROM iotdata.outbox_ended WHERE id = ANY (ARRAY("
	"SELECT id FROM iotdata.outbox_ended WHERE state = $1 AND ended_at >= $2 AND ended_at < $3 "
	"ORDER BY state, ended_at, id LIMIT $4)) RETURNING ended_at) "
	"SELECT max(ended_at), count(*) FROM gone",
	.narguments = 4,
	.types = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}
};

static IotDataStatement oldest_statement = {
	.text = "SELECT ended_at FROM iotdata.outbox_ended WHERE state = $1 AND ended_at >= $2 "
	"ORDER BY state, ended_at, id LIMIT 1",
	.narguments = 2,
	.types = {TEXTOID, TIMESTAMPTZOID}
};

TimestampTz
iotdata_retention_next_due(const IotDataRetention *retention)
{
	return retention->begun ? retention->next_due : DT_NOBEGIN;
}

bool
iotdata_retention_is_due(const IotDataRetention *retention)
{
	return iotdata_clock_monotonic() >= retention->not_before &&
		iotdata_retention_next_due(retention) <= GetCurrentTimestamp();
}

static int
shortest(void)
{
	if (iotdata_outbox_retention < 0 || iotdata_outbox_failed_retention < 0)
		return Max(iotdata_outbox_retention, iotdata_outbox_failed_retention);
	return Min(iotdata_outbox_retention, iotdata_outbox_failed_retention);
}

/* When rows that are so old are removed. */
static TimestampTz
removal(TimestampTz ended_at, int seconds)
{
	return ended_at + seconds * USECS_PER_SEC + seconds * USECS_PER_SEC / SLACK;
}

void
iotdata_retention_note_ended(IotDataRetention *retention)
{
	if (shortest() >= 0)
		retention->next_due = Min(retention->next_due, removal(GetCurrentTimestamp(), shortest()));
}

/* A time in the first row of the last statement; "otherwise" without any. */
static TimestampTz
read_time(TimestampTz otherwise)
{
	bool		isnull = true;
	Datum		value = 0;

	if (SPI_processed > 0)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? otherwise : DatumGetTimestampTz(value);
}

static void
find_next(IotDataRetention *retention, Datum *values, int seconds)
{
	TimestampTz oldest;

	iotdata_statement_run(&oldest_statement, values, NULL);
	oldest = read_time(DT_NOEND);
	if (oldest != DT_NOEND)
		retention->next_due = Min(retention->next_due, removal(oldest, seconds));
	SPI_freetuptable(SPI_tuptable);
}

static void
remove_state(IotDataRetention *retention, int state)
{
	int			seconds = state < 2 ? iotdata_outbox_retention : iotdata_outbox_failed_retention;
	Datum		values[4];
	bool		isnull;
	int64		removed;

	if (seconds < 0)
		return;
	values[0] = CStringGetTextDatum(states[state]);
	values[1] = TimestampTzGetDatum(retention->positions[state]);
	values[2] = TimestampTzGetDatum(GetCurrentTimestamp() - seconds * USECS_PER_SEC);
	values[3] = Int64GetDatum(STEP);
	iotdata_statement_run(&remove_statement, values, NULL);
	retention->positions[state] = read_time(retention->positions[state]);
	removed = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
	values[1] = TimestampTzGetDatum(retention->positions[state]);
	if (removed < STEP)
		find_next(retention, values, seconds);
	else
		retention->has_more = true;
}

static void
remove_all(void *arg)
{
	IotDataRetention *retention = arg;

	retention->has_more = false;
	retention->next_due = DT_NOEND;
	for (int state = 0; state < NSTATES; state++)
		remove_state(retention, state);
	if (retention->has_more)
		retention->next_due = DT_NOBEGIN;
}

void
iotdata_retention_step(IotDataRetention *retention)
{
	IotDataRetention before;
	ErrorData  *error;

	for (int state = 0; !retention->begun && state < NSTATES; state++)
		retention->positions[state] = DT_NOBEGIN;
	retention->begun = true;
	before = *retention;
	if (!iotdata_outbox_try(remove_all, retention, &error))
	{
		*retention = before;
		retention->has_more = false;
		retention->next_due = GetCurrentTimestamp() + FAILURE_PAUSE;
	}
	retention->not_before = iotdata_clock_monotonic() + PAUSE;
}
