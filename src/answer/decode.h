/*
 * decode.h
 *		From the values of an answer to the columns of a row.
 */
#ifndef IOTDATA_ANSWER_DECODE_H
#define IOTDATA_ANSWER_DECODE_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "answer/answer.h"

/*
 * Can rows of these columns be made of the operation's answers? A row type of
 * an older version may have fewer columns than the operation.
 */
extern bool iotdata_decode_fits(const IotDataOperation *operation,
								TupleDesc columns);

/*
 * The columns of a row, in the current memory context. What is missing is NULL,
 * and so is a column that is not "needed" (an entry for each; NULL: all are).
 * Raises IO007 when a value is not what it must be, of whichever column; of a
 * cached answer, which was found good before, those not needed are not looked at.
 */
extern void iotdata_decode(const IotDataAnswer *answer,
						   const IotDataJsonValue *values, TupleDesc columns,
						   const bool *needed, Datum *datums, bool *nulls);

/* The same as a row of all columns, in "result". */
extern HeapTuple iotdata_decode_row(const IotDataAnswer *answer,
									const IotDataJsonValue *values,
									TupleDesc columns, MemoryContext result);

#endif							/* IOTDATA_ANSWER_DECODE_H */
