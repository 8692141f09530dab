/*
 * control.c
 *		SQL functions for messages that are in the outbox, or were.
 *
 * Who may do something to a message: whoever has the privileges of the role
 * that queued it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "error/raise.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "outbox/claims.h"
#include "outbox/guard.h"
#include "outbox/statement.h"
#include "outbox/transaction.h"
#include "outbox/wake.h"
#include "tcop/utility.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(iotdata_outbox_retry);
PG_FUNCTION_INFO_V1(iotdata_outbox_cancel);
PG_FUNCTION_INFO_V1(iotdata_adopt_outbox);

#define MESSAGE_COLUMNS \
	"client_id, topic, payload, content_type, response_topic, confirmation, timeout, user_properties, " \
	"payload_format_indicator, correlation_data"

/* It is as if it had been queued just now, but for its id. */
static IotDataStatement again_statement = {
	.text = "WITH gone AS (DELETE FROM iotdata.outbox_ended "
	"WHERE id = $1 AND state <> 'delivered' AND pg_has_role($2, owner, 'USAGE') RETURNING *) "
	"INSERT INTO iotdata.outbox (id, device, xid, home, owner, payload_type, server, queued_at, expires_at, " MESSAGE_COLUMNS ") "
	"SELECT id, device, $3, $4, owner, payload_type, server, clock_timestamp(), clock_timestamp() + $5, " MESSAGE_COLUMNS " FROM gone",
	.narguments = 5,
	.types = {INT8OID, OIDOID, INT8OID, OIDOID, INTERVALOID}
};

/* Nobody claims a message that is not theirs to cancel. */
static IotDataStatement cancellable_statement = {
	.text = "SELECT FROM iotdata.outbox WHERE id = $1 AND pg_has_role($2, owner, 'USAGE')",
	.narguments = 2,
	.types = {INT8OID, OIDOID}
};

static IotDataStatement cancel_statement = {
	.text = "WITH gone AS (DELETE FROM iotdata.outbox "
	"WHERE id = $1 AND pg_has_role($2, owner, 'USAGE') RETURNING *) "
	"INSERT INTO iotdata.outbox_ended (id, state, ended_at, attempts, unknown, owner, error_code, error_message, "
	"device, payload_type, server, queued_at, expires_at, " MESSAGE_COLUMNS ") "
	"SELECT g.id, 'cancelled', clock_timestamp(), coalesce(r.attempts, 0), coalesce(r.unknown, 0), g.owner, r.error_code, r.error_message, "
	"g.device, payload_type, server, queued_at, expires_at, " MESSAGE_COLUMNS " "
	"FROM gone g LEFT JOIN iotdata.outbox_retry r ON r.device = g.device AND r.head = g.id",
	.narguments = 2,
	.types = {INT8OID, OIDOID}
};

static IotDataStatement adopt_statement = {
	.text = "UPDATE iotdata.outbox SET xid = $1, home = $2 WHERE home <> $2",
	.narguments = 2,
	.types = {INT8OID, OIDOID}
};

/* A statement with its arguments, and how many rows it changed. */
typedef struct Change
{
	IotDataStatement *statement;
	Datum		values[5];
	char		nulls[6];
	uint64		rows;
} Change;

static void
write_change(void *arg)
{
	Change	   *change = arg;
	bool		before = iotdata_outbox_trust(true);

	PG_TRY();
	{
		change->rows = iotdata_statement_run(change->statement, change->values, change->nulls);
	}
	PG_FINALLY();
	{
		iotdata_outbox_trust(before);
	}
	PG_END_TRY();
}

static uint64
make_change(Change *change, const char *name)
{
	PreventCommandIfReadOnly(name);
	SPI_connect();
	iotdata_outbox_as_owner(write_change, change);
	SPI_finish();
	if (change->rows > 0)
		iotdata_outbox_wake_at_commit();
	return change->rows;
}

static Datum
current_xid(void)
{
	return Int64GetDatum((int64) U64FromFullTransactionId(GetTopFullTransactionId()));
}

Datum
iotdata_outbox_retry(PG_FUNCTION_ARGS)
{
	Change		change = {.statement = &again_statement, .nulls = "     "};

	if (PG_ARGISNULL(0))
		iotdata_raise_argument("id must not be null");
	PreventCommandIfReadOnly("retry");
	change.values[0] = PG_GETARG_DATUM(0);
	change.values[1] = ObjectIdGetDatum(GetUserId());
	change.values[2] = current_xid();
	change.values[3] = ObjectIdGetDatum(MyDatabaseId);
	change.values[4] = PG_GETARG_DATUM(1);
	change.nulls[4] = PG_ARGISNULL(1) ? 'n' : ' ';
	PG_RETURN_BOOL(make_change(&change, "retry") > 0);
}

Datum
iotdata_outbox_cancel(PG_FUNCTION_ARGS)
{
	Change		change = {.statement = &cancellable_statement, .nulls = "  "};

	if (PG_ARGISNULL(0))
		iotdata_raise_argument("id must not be null");
	change.values[0] = PG_GETARG_DATUM(0);
	change.values[1] = ObjectIdGetDatum(GetUserId());
	if (make_change(&change, "cancel") == 0 || !iotdata_claims_cancel(PG_GETARG_INT64(0)))
		PG_RETURN_BOOL(false);
	change.statement = &cancel_statement;
	PG_RETURN_BOOL(make_change(&change, "cancel") > 0);
}

Datum
iotdata_adopt_outbox(PG_FUNCTION_ARGS)
{
	Change		change = {.statement = &adopt_statement, .nulls = "  "};

	PreventCommandIfReadOnly("adopt_outbox");
	change.values[0] = current_xid();
	change.values[1] = ObjectIdGetDatum(MyDatabaseId);
	PG_RETURN_INT64((int64) make_change(&change, "adopt_outbox"));
}
