/*
 * result.h
 *		Results: rows that have what was asked about, and either the answer or
 *		the error that took its place (iotdata.connection_result).
 */
#ifndef IOTDATA_LOOKUP_RESULT_H
#define IOTDATA_LOOKUP_RESULT_H

#include "postgres.h"

#include "lookup/lookup.h"

/* The columns of a result. */
#define IOTDATA_RESULT_NCOLUMNS 4

/*
 * The columns of the answer in a result with "columns", in the current memory
 * context: those that the lookups must have. NULL when these are not a
 * result's.
 */
extern TupleDesc iotdata_result_answer(TupleDesc columns);

/*
 * A lookup's result, in "values" and "nulls". "lookup" has ended, and has no
 * failure that iotdata_lookup_raise raises; NULL: there was nothing to ask.
 * What the values point to is the subject's and the lookup's, or in the current
 * memory context.
 */
extern void iotdata_result_fill(const IotDataLookup *lookup, NullableDatum subject,
								Datum *values, bool *nulls);

#endif							/* IOTDATA_LOOKUP_RESULT_H */
