/*
 * relation.c
 *		The outbox's tables, as C knows them: by name and by column.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "error/raise.h"
#include "outbox/relation.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define SCHEMA "iotdata"
#define QUEUE_FUNCTION "queue_direct_message"
#define TRIGGER_FUNCTION "queue_direct_message_trigger"

/* the payload's place among the function's arguments */
#define PAYLOAD_ARGUMENT 2

Oid
iotdata_outbox_relation(const char *name)
{
	Oid			schema = get_namespace_oid(SCHEMA, true);
	Oid			relation = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;

	if (!OidIsValid(relation))
		iotdata_raise_version(psprintf("%s.%s", SCHEMA, name));
	return relation;
}

bool
iotdata_outbox_exists(void)
{
	Oid			schema = get_namespace_oid(SCHEMA, true);

	return OidIsValid(schema) && OidIsValid(get_relname_relid("outbox", schema));
}

void
iotdata_outbox_types(IotDataArgumentTypes *types, TupleDesc columns)
{
	if (columns->natts != IOTDATA_OUTBOX_NCOLUMNS)
		iotdata_raise_version(SCHEMA ".outbox");
	types->count = IOTDATA_OUTBOX_NARGUMENTS;
	for (int i = 0; i < IOTDATA_OUTBOX_NARGUMENTS; i++)
		types->types[i] = TupleDescAttr(columns, IOTDATA_OUTBOX_ARGUMENTS - 1 + i)->atttypid;
}

Oid
iotdata_outbox_function(Oid payload_type)
{
	Oid			schema = get_namespace_oid(SCHEMA, true);
	const char *name = OidIsValid(payload_type) ? QUEUE_FUNCTION : TRIGGER_FUNCTION;
	CatCList   *functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	Oid			found = InvalidOid;

	for (int i = 0; i < functions->n_members; i++)
	{
		Form_pg_proc function = (Form_pg_proc) GETSTRUCT(&functions->members[i]->tuple);

		if (function->pronamespace != schema)
			continue;
		if (!OidIsValid(payload_type) ||
			(function->pronargs > PAYLOAD_ARGUMENT &&
			 function->proargtypes.values[PAYLOAD_ARGUMENT] == payload_type))
			found = function->oid;
	}
	ReleaseSysCacheList(functions);
	return found;
}
