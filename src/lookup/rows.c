/*
 * rows.c
 *		Rows of lookups: of all columns of an operation's answer, only those that
 *		are needed are decoded and kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "answer/decode.h"
#include "compat.h"
#include "lookup/rows.h"

void
iotdata_lookup_rows_init(IotDataLookupRows *rows, TupleDesc columns, const bool *needed)
{
	int			count = 0;

	rows->columns = CreateTupleDescCopy(columns);
	for (int i = 0; i < columns->natts; i++)
	{
		rows->needed[i] = needed == NULL || needed[i];
		if (rows->needed[i])
			rows->numbers[count++] = i;
	}
	/* a whole row has a type, by which it may be part of another */
	rows->row_columns = count == columns->natts ? rows->columns :
		iotdata_some_columns(rows->columns, rows->numbers, count);
}

HeapTuple
iotdata_lookup_rows_make(const IotDataLookupRows *rows, const IotDataAnswer *answer,
						 const IotDataJsonValue *values, MemoryContext context)
{
	Datum		datums[IOTDATA_MAX_COLUMNS];
	bool		nulls[IOTDATA_MAX_COLUMNS];
	MemoryContext caller;
	HeapTuple	row;

	iotdata_decode(answer, values, rows->columns, rows->needed, datums, nulls);
	for (int i = 0; i < rows->row_columns->natts; i++)
	{
		datums[i] = datums[rows->numbers[i]];
		nulls[i] = nulls[rows->numbers[i]];
	}
	caller = MemoryContextSwitchTo(context);
	row = heap_form_tuple(rows->row_columns, datums, nulls);
	MemoryContextSwitchTo(caller);
	return row;
}

void
iotdata_lookup_rows_read(const IotDataLookupRows *rows, HeapTuple row, Datum *values, bool *nulls)
{
	heap_deform_tuple(row, rows->row_columns, values, nulls);
	/* backward: a column comes from one that is not behind it */
	for (int i = rows->columns->natts - 1, from = rows->row_columns->natts - 1; i >= 0; i--)
	{
		if (!rows->needed[i])
			nulls[i] = true;
		else
		{
			values[i] = values[from];
			nulls[i] = nulls[from--];
		}
	}
}
