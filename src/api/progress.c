/*
 * progress.c
 *		The SQL function that shows the lookups that are under way.
 */
#include "postgres.h"

#include "call/clock.h"
#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "shared/progress.h"
#include "shared/rate.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* the first columns are anybody's to see */
#define NPUBLIC 2
#define NCOLUMNS 13

PG_FUNCTION_INFO_V1(iotdata_stat_progress);

/* Of other roles' sessions the rest is for who may read all statistics. */
static bool
may_see(Oid user)
{
	return has_privs_of_role(GetUserId(), user) ||
		has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

/* A time of CLOCK_MONOTONIC. */
static Datum
wall_time(int64 monotonic)
{
	return TimestampTzGetDatum(GetCurrentTimestamp() - (iotdata_clock_monotonic() - monotonic));
}

/* The row's columns, in the order of the SQL function's. */
static void
make_row(const IotDataProgressRow *row, Datum *values, bool *nulls)
{
	int			n = 0;

	values[n++] = Int32GetDatum(row->pid);
	values[n++] = ObjectIdGetDatum(row->database);
	Assert(n == NPUBLIC);
	values[n++] = ObjectIdGetDatum(row->user);
	nulls[n] = row->target[0] == '\0';
	values[n++] = CStringGetTextDatum(row->target);
	values[n++] = CStringGetTextDatum(row->operation);
	values[n++] = Int64GetDatum(row->counts.rows_read);
	values[n++] = Int64GetDatum(row->counts.asked);
	values[n++] = Int64GetDatum(row->counts.answered);
	values[n++] = Int64GetDatum(row->counts.cache_hits);
	values[n++] = Int64GetDatum(row->counts.duplicates);
	values[n++] = Int32GetDatum(row->calls_in_flight);
	nulls[n] = row->waiting_since == 0;
	values[n++] = row->waiting_since == 0 ? (Datum) 0 : wall_time(row->waiting_since);
	nulls[n] = row->rate == 0;
	values[n++] = row->rate == 0 ? (Datum) 0 :
		Float8GetDatum(iotdata_rate_current(row->quota, row->kind, row->rate));
	Assert(n == NCOLUMNS);
	if (!may_see(row->user))
		memset(nulls + NPUBLIC, true, (NCOLUMNS - NPUBLIC) * sizeof(bool));
}

Datum
iotdata_stat_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	IotDataProgressRow row;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; iotdata_progress_get(i, &row); i++)
	{
		Datum		values[NCOLUMNS];
		bool		nulls[NCOLUMNS] = {0};

		if (row.pid == 0)
			continue;
		make_row(&row, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
