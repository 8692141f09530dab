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
#define PAUSE (1 * USECS_PER_SEC)

static const char *const states[NSTATES] = {"delivered", "cancelled", "failed", "expired"};

static IotDataStatement remove_statement = {
	.text = "WITH gone AS (DELETE FROM iotdata.outbox_ended WHERE id = ANY (ARRAY("
	"SELECT id FROM iotdata.outbox_ended WHERE state = $1 AND ended_at >= $2 AND ended_at < $3 "
	"ORDER BY state, ended_at, id LIMIT $4)) RETURNING ended_at) "
	"SELECT max(ended_at) FROM gone",
	.narguments = 4,
	.types = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}
};

bool
iotdata_retention_is_due(const IotDataRetention *retention)
{
	return iotdata_clock_monotonic() >= retention->due;
}

static void
remove_state(IotDataRetention *retention, int state)
{
	int			seconds = state < 2 ? iotdata_outbox_retention : iotdata_outbox_failed_retention;
	Datum		values[4];
	Datum		reached;
	bool		isnull;

	if (seconds < 0)
		return;
	values[0] = CStringGetTextDatum(states[state]);
	values[1] = TimestampTzGetDatum(retention->positions[state]);
	values[2] = TimestampTzGetDatum(GetCurrentTimestamp() - seconds * USECS_PER_SEC);
	values[3] = Int64GetDatum(STEP);
	iotdata_statement_run(&remove_statement, values, NULL);
	reached = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		retention->positions[state] = DatumGetTimestampTz(reached);
	SPI_freetuptable(SPI_tuptable);
}

static void
remove_all(void *arg)
{
	for (int state = 0; state < NSTATES; state++)
		remove_state(arg, state);
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
		*retention = before;
	retention->due = iotdata_clock_monotonic() + PAUSE;
}
