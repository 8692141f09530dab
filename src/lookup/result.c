/*
 * result.c
 *		Results: rows that have what was asked about, and either the answer or
 *		the error that took its place (iotdata.connection_result).
 *
 * Which errors those are is decided by lookup.c.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lookup/result.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

enum
{
	SUBJECT,
	ANSWER,
	ERROR_CODE,
	ERROR_MESSAGE,
	NCOLUMNS
};

StaticAssertDecl(NCOLUMNS == IOTDATA_RESULT_NCOLUMNS, "a result has these columns");

static bool
is_text(TupleDesc columns, int column)
{
	return TupleDescAttr(columns, column)->atttypid == TEXTOID;
}

TupleDesc
iotdata_result_answer(TupleDesc columns)
{
	if (columns->natts != IOTDATA_RESULT_NCOLUMNS || !is_text(columns, SUBJECT) ||
		!type_is_rowtype(TupleDescAttr(columns, ANSWER)->atttypid) ||
		!is_text(columns, ERROR_CODE) || !is_text(columns, ERROR_MESSAGE))
		return NULL;
	return lookup_rowtype_tupdesc_copy(TupleDescAttr(columns, ANSWER)->atttypid, -1);
}

void
iotdata_result_fill(const IotDataLookup *lookup, NullableDatum subject,
					Datum *values, bool *nulls)
{
	memset(nulls, true, IOTDATA_RESULT_NCOLUMNS * sizeof(bool));
	values[SUBJECT] = subject.value;
	nulls[SUBJECT] = subject.isnull;
	if (lookup == NULL)
		return;
	if (lookup->failure != NULL)
	{
		values[ERROR_CODE] = CStringGetTextDatum(unpack_sql_state(lookup->failure->sqlstate));
		values[ERROR_MESSAGE] = CStringGetTextDatum(lookup->failure->message);
		nulls[ERROR_CODE] = nulls[ERROR_MESSAGE] = false;
	}
	else if (lookup->nrows > 0)
	{
		values[ANSWER] = HeapTupleGetDatum(lookup->rows[0]);
		nulls[ANSWER] = false;
	}
}
