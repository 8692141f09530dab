/*
 * procedure.c
 *		CALL iotdata.process_outbox: the outbox without a background worker.
 */
#include "postgres.h"

#include "call/clock.h"
#include "error/raise.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "outbox/claims.h"
#include "outbox/process.h"
#include "outbox/shards.h"
#include "outbox/wake.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(iotdata_process_outbox);

#define ALL_SHARDS 0xffff

/* It commits, so it must not be called where that cannot be. */
static void
check_context(FunctionCallInfo fcinfo)
{
	PreventCommandIfReadOnly("process_outbox");
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		((CallContext *) fcinfo->context)->atomic)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				errmsg("iotdata.process_outbox cannot be called within a transaction block"),
				errdetail("It commits what became of the messages it sends."));
}

/* When to stop (CLOCK_MONOTONIC). */
static int64
find_deadline(FunctionCallInfo fcinfo)
{
	TimestampTz begin = GetCurrentTimestamp();
	TimestampTz end;

	if (PG_ARGISNULL(1))
		return PG_INT64_MAX;
	end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												  TimestampTzGetDatum(begin),
												  PG_GETARG_DATUM(1)));
	if (end < begin)
		iotdata_raise_argument("max_time must not be negative");
	return iotdata_clock_monotonic() + (end - begin);
}

static int64
find_max(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		return PG_INT64_MAX;
	if (PG_GETARG_INT32(0) < 0)
		iotdata_raise_argument("max_messages must not be negative");
	return PG_GETARG_INT32(0);
}

/* Until there is nothing to send now, or a limit is reached. */
static void
process_all(IotDataOutboxProcess *process, int64 max, int64 deadline)
{
	bool		looked = false;

	while (iotdata_process_count(process) < max && iotdata_clock_monotonic() < deadline)
	{
		if (iotdata_process_work(process, max))
		{
			looked = false;
			if (iotdata_process_is_held(process) && deadline == PG_INT64_MAX)
				break;
			iotdata_process_wait(process, deadline);
		}
		else if (looked)
			break;
		else
		{
			/* others may have queued meanwhile */
			looked = true;
			iotdata_process_wake(process);
		}
	}
	iotdata_process_finish(process, PG_INT64_MAX);
}

static void
process_shards(uint32 shards, int64 max, int64 deadline)
{
	IotDataOutboxProcess *process;

	/* the caller's transaction is over: what it did is seen, and sent */
	SPI_commit();
	process = iotdata_process_create(shards, true);
	process_all(process, max, deadline);
	iotdata_process_delete(process);
}

/* Others may have the shards, and are told so. */
static void
let_others(uint32 shards)
{
	iotdata_claims_release_all();
	iotdata_shards_release(shards);
	iotdata_outbox_wake_now();
}

Datum
iotdata_process_outbox(PG_FUNCTION_ARGS)
{
	int64		max = find_max(fcinfo);
	int64		deadline = find_deadline(fcinfo);
	uint32		shards;

	check_context(fcinfo);
	shards = iotdata_shards_lock(ALL_SHARDS);
	if (shards == 0)
	{
		ereport(NOTICE,
				errmsg("another session sends what is in the outbox"));
		PG_RETURN_VOID();
	}
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	PG_TRY();
	{
		process_shards(shards, max, deadline);
	}
	PG_CATCH();
	{
		let_others(shards);
		PG_RE_THROW();
	}
	PG_END_TRY();
	let_others(shards);
	SPI_finish();
	PG_RETURN_VOID();
}
