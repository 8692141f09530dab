/*
 * statistics.c
 *		SQL functions that show and reset what calls were made.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "shared/statistics.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#define NCOLUMNS 23

/* the columns of errors: those of the outcomes from this one on */
#define FIRST_ERROR IOTDATA_OUTCOME_CLIENT_ERROR

PG_FUNCTION_INFO_V1(iotdata_stat_calls);
PG_FUNCTION_INFO_V1(iotdata_stat_reset);

static Datum
milliseconds(double microseconds)
{
	return Float8GetDatum(microseconds / 1000);
}

static Datum
histogram(const uint64 *counts)
{
	Datum		elements[IOTDATA_LATENCY_BUCKETS];

	for (int i = 0; i < IOTDATA_LATENCY_BUCKETS; i++)
		elements[i] = Int64GetDatum((int64) counts[i]);
	return PointerGetDatum(construct_array_builtin(elements,
												   IOTDATA_LATENCY_BUCKETS,
												   INT8OID));
}

/* The row's columns, in the order of the SQL function's. */
static void
make_row(const char *target, const char *account, const char *operation,
		 const IotDataCallSums *sums, Datum *values, bool *nulls)
{
	int			n = 0;

	values[n++] = CStringGetTextDatum(target);
	values[n++] = CStringGetTextDatum(account);
	values[n++] = CStringGetTextDatum(operation);
	values[n++] = Int64GetDatum((int64) sums->calls);
	values[n++] = Int64GetDatum((int64) sums->attempts);
	values[n++] = Int64GetDatum((int64) sums->retries);
	values[n++] = Int64GetDatum((int64) sums->throttled);
	for (int i = FIRST_ERROR; i < IOTDATA_NOUTCOMES; i++)
		values[n++] = Int64GetDatum((int64) sums->outcomes[i]);
	values[n++] = Int64GetDatum((int64) sums->cache_hits);
	values[n++] = Int64GetDatum((int64) sums->bytes_sent);
	values[n++] = Int64GetDatum((int64) sums->bytes_received);
	values[n++] = Int64GetDatum((int64) sums->connections_opened);
	values[n++] = milliseconds((double) sums->total_microseconds);
	nulls[n] = sums->calls == 0;
	values[n++] = sums->calls == 0 ? (Datum) 0 :
		milliseconds((double) sums->total_microseconds / (double) sums->calls);
	values[n++] = milliseconds((double) sums->max_microseconds);
	values[n++] = histogram(sums->latencies);
	values[n++] = TimestampTzGetDatum(sums->since);
	Assert(n == NCOLUMNS);
}

Datum
iotdata_stat_calls(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *target;
	const char *account;
	const char *operation;
	IotDataCallSums sums;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; iotdata_statistics_get(i, &target, &account, &operation, &sums); i++)
	{
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {0};

		make_row(target, account, operation, &sums, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
iotdata_stat_reset(PG_FUNCTION_ARGS)
{
	iotdata_statistics_reset();
	PG_RETURN_VOID();
}
