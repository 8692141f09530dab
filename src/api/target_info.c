/*
 * target_info.c
 *		The SQL function that shows where calls go, and as whom.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "aws/access_key.h"
#include "credentials/credentials.h"
#include "error/raise.h"
#include "fmgr.h"
#include "funcapi.h"
#include "target/find.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* how much of an access key id is shown, and of how long a one at least */
#define SHOWN_SUFFIX 4
#define SHOWN_FROM 8

PG_FUNCTION_INFO_V1(iotdata_target_info);

/* columns of the row; an older version of the function has the first five */
enum
{
	ENDPOINT,
	REGION,
	CREDENTIALS_SOURCE,
	ACCESS_KEY_ID_SUFFIX,
	CREDENTIALS_EXPIRE_AT,
	SERVER,
	ENDPOINT_SOURCE,
	REGION_SOURCE,
	CREDENTIALS_ORIGIN,
	ACCOUNT_ID,
	ERROR_MESSAGE,
	ERROR_DETAIL,
	NCOLUMNS
};

typedef struct Row
{
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS];
} Row;

static void
set(Row *row, int column, const char *text)
{
	row->nulls[column] = text == NULL;
	if (text != NULL)
		row->values[column] = CStringGetTextDatum(text);
}

static void
show_credentials(Row *row, const IotDataCredentialsValues *values)
{
	size_t		length = strlen(values->access_key_id);
	char		account[IOTDATA_ACCOUNT_ID_SIZE];

	set(row, CREDENTIALS_SOURCE, values->provider);
	set(row, CREDENTIALS_ORIGIN, values->origin);
	set(row, ACCESS_KEY_ID_SUFFIX, length >= SHOWN_FROM ?
		values->access_key_id + length - SHOWN_SUFFIX : NULL);
	set(row, ACCOUNT_ID, iotdata_access_key_account(account, values->access_key_id) ? account : NULL);
	row->nulls[CREDENTIALS_EXPIRE_AT] = TIMESTAMP_IS_NOEND(values->expire_at);
	row->values[CREDENTIALS_EXPIRE_AT] = TimestampTzGetDatum(values->expire_at);
}

static void
show_target(Row *row, const IotDataTarget *target)
{
	row->nulls[SERVER] = target->server[0] == '\0';
	row->values[SERVER] = DirectFunctionCall1(namein, CStringGetDatum(target->server));
	set(row, ENDPOINT, psprintf("%s://%s", target->endpoint.https ? "https" : "http",
								target->endpoint.authority));
	set(row, ENDPOINT_SOURCE, target->endpoint_source);
	set(row, REGION, target->region);
	set(row, REGION_SOURCE, target->region_source);
}

/* target_info(server); one of an older version has no argument */
Datum
iotdata_target_info(PG_FUNCTION_ARGS)
{
	bool		named = PG_NARGS() > 0 && !PG_ARGISNULL(0);
	const IotDataTarget *target;
	const IotDataCredentials *credentials;
	IotDataFailure failure;
	TupleDesc	columns;
	Row			row;

	get_call_result_type(fcinfo, NULL, &columns);
	if (columns->natts > NCOLUMNS)
		iotdata_raise_version("iotdata.target_info");
	target = iotdata_target_find(named ? NameStr(*PG_GETARG_NAME(0)) : NULL,
								 CurrentMemoryContext, &failure);
	if (target == NULL)
		iotdata_raise(&failure);
	memset(row.nulls, true, sizeof(row.nulls));
	show_target(&row, target);
	if (iotdata_credentials_get(&target->credentials, CurrentMemoryContext,
								&credentials, &failure) == IOTDATA_CREDENTIALS_FOUND)
		show_credentials(&row, &credentials->values);
	else
	{
		set(&row, ERROR_MESSAGE, failure.message);
		set(&row, ERROR_DETAIL, failure.detail);
	}
	columns = BlessTupleDesc(columns);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(columns, row.values, row.nulls)));
}
