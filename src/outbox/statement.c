/*
 * statement.c
 *		The outbox's SQL statements, prepared once in a backend.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "outbox/statement.h"
#include "utils/array.h"

/* They are planned once: their plans do not depend on what is asked for. */
static void
prepare(IotDataStatement *statement)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(statement->text, statement->narguments,
										  statement->types, CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		ereport(ERROR,
				errcode(ERRCODE_INTERNAL_ERROR),
				errmsg("a statement of the outbox could not be prepared: %s",
					   SPI_result_code_string(SPI_result)));
	statement->plan = plan;
}

uint64
iotdata_statement_run(IotDataStatement *statement, Datum *values, const char *nulls)
{
	int			result;

	if (statement->plan == NULL)
		prepare(statement);
	result = SPI_execute_plan(statement->plan, values, nulls, false, 0);
	if (result < 0)
		ereport(ERROR,
				errcode(ERRCODE_INTERNAL_ERROR),
				errmsg("a statement of the outbox could not be executed: %s",
					   SPI_result_code_string(result)));
	return SPI_processed;
}

Datum
iotdata_statement_int8s(const int64 *values, int count)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		datums[i] = Int64GetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, count, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
iotdata_statement_int4s(const int32 *values, int count)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		datums[i] = Int32GetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, count, INT4OID, sizeof(int32),
										   true, TYPALIGN_INT));
}
