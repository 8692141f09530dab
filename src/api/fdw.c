/*
 * fdw.c
 *		The validator of the foreign-data wrapper's options.
 *
 * The wrapper has no handler: a foreign server is what a function's argument
 * "server" names, and no table is ever read from it.
 */
#include "postgres.h"

#include "error/raise.h"
#include "fmgr.h"
#include "target/options.h"

PG_FUNCTION_INFO_V1(iotdata_fdw_validator);

/* iotdata_fdw_validator(options, catalog) */
Datum
iotdata_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = iotdata_options_read(PG_GETARG_DATUM(0));
	IotDataFailure failure;
	bool		valid = iotdata_options_check(options, PG_GETARG_OID(1), &failure);

	iotdata_options_clear(options);
	if (!valid)
		iotdata_raise(&failure);
	PG_RETURN_VOID();
}
