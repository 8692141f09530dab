/*
 * target_info.c
 *		The SQL function that shows where calls go, and as whom.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "credentials/credentials.h"
#include "error/raise.h"
#include "fmgr.h"
#include "funcapi.h"
#include "target/target.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* how much of an access key id is shown, and of how long a one at least */
#define SHOWN_SUFFIX 4
#define SHOWN_FROM 8

PG_FUNCTION_INFO_V1(iotdata_target_info);

/* Fill the columns about the credentials; without any they stay NULL. */
static void
show_credentials(const IotDataTarget *target, Datum *values, bool *nulls)
{
	const IotDataCredentials *credentials;
	IotDataFailure failure;
	size_t		length;

	switch (iotdata_credentials_get(&target->credentials, CurrentMemoryContext,
									&credentials, &failure))
	{
		case IOTDATA_CREDENTIALS_FAILED:
			iotdata_raise(&failure);
		case IOTDATA_CREDENTIALS_NONE:
			return;
		case IOTDATA_CREDENTIALS_FOUND:
			break;
	}
	length = strlen(credentials->values.access_key_id);
	values[2] = CStringGetTextDatum(credentials->values.provider);
	nulls[2] = false;
	if (length >= SHOWN_FROM)
	{
		values[3] = CStringGetTextDatum(credentials->values.access_key_id + length - SHOWN_SUFFIX);
		nulls[3] = false;
	}
	if (!TIMESTAMP_IS_NOEND(credentials->values.expire_at))
	{
		values[4] = TimestampTzGetDatum(credentials->values.expire_at);
		nulls[4] = false;
	}
}

Datum
iotdata_target_info(PG_FUNCTION_ARGS)
{
	IotDataTarget target;
	IotDataFailure failure;
	TupleDesc	columns;
	Datum		values[5] = {0};
	bool		nulls[5] = {false, false, true, true, true};

	if (!iotdata_target_default(&target, &failure))
		iotdata_raise(&failure);
	get_call_result_type(fcinfo, NULL, &columns);
	values[0] = CStringGetTextDatum(psprintf("%s://%s",
											 target.endpoint.https ? "https" : "http",
											 target.endpoint.authority));
	values[1] = CStringGetTextDatum(target.region);
	show_credentials(&target, values, nulls);
	columns = BlessTupleDesc(columns);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(columns, values, nulls)));
}
