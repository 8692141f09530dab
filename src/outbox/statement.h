/*
 * statement.h
 *		The outbox's SQL statements, prepared once in a backend.
 */
#ifndef IOTDATA_OUTBOX_STATEMENT_H
#define IOTDATA_OUTBOX_STATEMENT_H

#include "postgres.h"

/* One statement; static, all zero but for these at first. */
typedef struct IotDataStatement
{
	const char *text;
	int			narguments;
	Oid			types[8];
	struct _SPI_plan *plan;		/* NULL until it is prepared */
} IotDataStatement;

/*
 * Run it, within SPI. "nulls" may be NULL. Returns the rows that were
 * processed.
 */
extern uint64 iotdata_statement_run(IotDataStatement *statement, Datum *values,
									const char *nulls);

/* Arrays of int8 and int4, in the current memory context. */
extern Datum iotdata_statement_int8s(const int64 *values, int count);
extern Datum iotdata_statement_int4s(const int32 *values, int count);

#endif							/* IOTDATA_OUTBOX_STATEMENT_H */
