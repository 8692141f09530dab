/*
 * rows.h
 *		Rows of lookups: of all columns of an operation's answer, only those that
 *		are needed are decoded and kept.
 */
#ifndef IOTDATA_LOOKUP_ROWS_H
#define IOTDATA_LOOKUP_ROWS_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "answer/answer.h"
#include "request/operation.h"

typedef struct IotDataLookupRows
{
	TupleDesc	columns;
	bool		needed[IOTDATA_MAX_COLUMNS];	/* of the columns */
	TupleDesc	row_columns;	/* those */
	int			numbers[IOTDATA_MAX_COLUMNS];	/* which they are */
} IotDataLookupRows;

/* Copies "columns" to the current memory context. "needed" NULL: all are. */
extern void iotdata_lookup_rows_init(IotDataLookupRows *rows, TupleDesc columns,
									 const bool *needed);

/* A row of an answer's values, in "context". Raises what decoding raises. */
extern HeapTuple iotdata_lookup_rows_make(const IotDataLookupRows *rows,
										  const IotDataAnswer *answer,
										  const IotDataJsonValue *values,
										  MemoryContext context);

/*
 * A row as values of all columns, those that are not needed NULL. They point into
 * the row.
 */
extern void iotdata_lookup_rows_read(const IotDataLookupRows *rows, HeapTuple row,
									 Datum *values, bool *nulls);

#endif							/* IOTDATA_LOOKUP_ROWS_H */
