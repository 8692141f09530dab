/*
 * statistics.c
 *		SQL functions that show and reset what calls were made.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "error/raise.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "shared/cache.h"
#include "shared/statistics.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#define NCOLUMNS 23
#define NCACHECOLUMNS 7

/* the columns of errors: those of the outcomes from this one on */
#define FIRST_ERROR IOTDATA_OUTCOME_CLIENT_ERROR

PG_FUNCTION_INFO_V1(iotdata_stat_cache);
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

/* A row: the columns in the order of the SQL function's. */
Datum
iotdata_stat_cache(PG_FUNCTION_ARGS)
{
	IotDataCacheStatistics statistics;
	TupleDesc	columns;
	Datum		values[NCACHECOLUMNS];
	bool		nulls[NCACHECOLUMNS] = {0};
	int			n = 0;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE ||
		columns->natts != NCACHECOLUMNS)
		iotdata_raise_version("iotdata.stat_cache");
	iotdata_cache_get_statistics(&statistics);
	values[n++] = Int64GetDatum((int64) statistics.use.entries);
	values[n++] = Int64GetDatum((int64) statistics.use.bytes);
	values[n++] = Int64GetDatum((int64) statistics.capacity);
	values[n++] = Int64GetDatum((int64) statistics.hits);
	values[n++] = Int64GetDatum((int64) statistics.misses);
	values[n++] = Int64GetDatum((int64) statistics.evictions);
	nulls[n] = statistics.use.entries == 0;
	values[n++] = TimestampTzGetDatum(statistics.use.oldest);
	Assert(n == NCACHECOLUMNS);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

Datum
iotdata_stat_reset(PG_FUNCTION_ARGS)
{
	iotdata_statistics_reset();
	iotdata_cache_reset_statistics();
	PG_RETURN_VOID();
}
