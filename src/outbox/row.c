/*
 * row.c
 *		A row of iotdata.outbox, made a message that can be sent.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "outbox/relation.h"
#include "outbox/row.h"
#include "outbox/target.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* What a role may queue, for one function. */
typedef struct RoleEntry
{
	Oid			role;
	Oid			payload_type;
	const char *refusal;		/* NULL: it may */
} RoleEntry;

struct IotDataOutboxRoles
{
	MemoryContext context;
	List	   *entries;		/* of RoleEntry: there are few */
};

IotDataOutboxRoles *
iotdata_outbox_roles_create(void)
{
	IotDataOutboxRoles *roles = palloc0(sizeof(*roles));

	roles->context = CurrentMemoryContext;
	return roles;
}

/* ---- whether it may be sent ---- */

static const char *
find_refusal(Oid role, Oid payload_type)
{
	Oid			function;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		return psprintf("role %u, which queued the message, does not exist", role);
	function = iotdata_outbox_function(payload_type);
	if (OidIsValid(function) && iotdata_role_can_execute(function, role))
		return NULL;
	return psprintf("permission denied for role \"%s\", which queued the message",
					GetUserNameFromId(role, false));
}

/* Why a role's message may not be sent; NULL: it may. */
static const char *
refusal(IotDataOutboxRoles *roles, Oid role, Oid payload_type)
{
	MemoryContext caller;
	RoleEntry  *entry;
	ListCell   *cell;

	foreach(cell, roles->entries)
	{
		entry = lfirst(cell);
		if (entry->role == role && entry->payload_type == payload_type)
			return entry->refusal;
	}
	caller = MemoryContextSwitchTo(roles->context);
	entry = palloc(sizeof(*entry));
	entry->role = role;
	entry->payload_type = payload_type;
	entry->refusal = find_refusal(role, payload_type);
	roles->entries = lappend(roles->entries, entry);
	MemoryContextSwitchTo(caller);
	return entry->refusal;
}

/* It cannot be sent. In the message's context. */
static void
refuse(IotDataOutboxMessage *message, int sqlstate, const char *why)
{
	IotDataFailure *failure = palloc0(sizeof(*failure));

	failure->sqlstate = sqlstate;
	failure->message = pstrdup(why);
	message->failure = failure;
}

static bool
check_sender(IotDataOutboxMessage *message, const Datum *values, const bool *nulls,
			 IotDataOutboxRoles *roles)
{
	Oid			type = nulls[IOTDATA_OUTBOX_PAYLOAD_TYPE - 1] ? InvalidOid :
		DatumGetObjectId(values[IOTDATA_OUTBOX_PAYLOAD_TYPE - 1]);
	const char *why = refusal(roles, message->owner, type);
	IotDataTarget target;
	IotDataFailure failure;

	if (why != NULL)
		refuse(message, ERRCODE_INSUFFICIENT_PRIVILEGE, why);
	else if (!nulls[IOTDATA_OUTBOX_SERVER - 1] &&
			 !iotdata_outbox_target(NameStr(*DatumGetName(values[IOTDATA_OUTBOX_SERVER - 1])),
									message->owner, &target, &failure))
		refuse(message, failure.sqlstate, failure.message);
	return message->failure == NULL;
}

/* ---- what is sent ---- */

/*
 * Build the request, in the message's context. What was good when it was queued
 * can be wrong in another database, or to a newer version: then it has failed.
 * No subtransaction is needed, because all that an error leaves behind is
 * memory.
 */
static void
build(IotDataOutboxMessage *message, const Datum *values, const bool *nulls,
	  TupleDesc columns)
{
	MemoryContext context = CurrentMemoryContext;
	IotDataArgumentTypes types;
	NullableDatum arguments[IOTDATA_OUTBOX_NARGUMENTS];
	IotDataErrorContext errors;

	iotdata_outbox_types(&types, columns);
	for (int i = 0; i < IOTDATA_OUTBOX_NARGUMENTS; i++)
	{
		arguments[i].value = values[IOTDATA_OUTBOX_ARGUMENTS - 1 + i];
		arguments[i].isnull = nulls[IOTDATA_OUTBOX_ARGUMENTS - 1 + i];
	}
	iotdata_error_context_push(&errors, iotdata_operation_send_direct_message.name);
	PG_TRY();
	{
		message->request = iotdata_request_build(&iotdata_operation_send_direct_message,
												 arguments, &types, &errors);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		refuse(message, error->sqlerrcode, error->message);
	}
	PG_END_TRY();
	iotdata_error_context_pop(&errors);
}

IotDataOutboxMessage *
iotdata_outbox_row_read(IotDataOutboxWindow *window, HeapTuple row, TupleDesc columns,
						IotDataOutboxRoles *roles)
{
	Datum		values[IOTDATA_OUTBOX_NCOLUMNS];
	bool		nulls[IOTDATA_OUTBOX_NCOLUMNS];
	IotDataOutboxMessage *message;
	MemoryContext caller;

	heap_deform_tuple(row, columns, values, nulls);
	message = iotdata_window_message(window, DatumGetInt64(values[IOTDATA_OUTBOX_ID - 1]));
	caller = MemoryContextSwitchTo(message->context);
	message->owner = DatumGetObjectId(values[IOTDATA_OUTBOX_OWNER - 1]);
	if (!nulls[IOTDATA_OUTBOX_EXPIRES_AT - 1])
		message->expires_at = DatumGetTimestampTz(values[IOTDATA_OUTBOX_EXPIRES_AT - 1]);
	if (check_sender(message, values, nulls, roles))
		build(message, values, nulls, columns);
	message->size = MemoryContextMemAllocated(message->context, false);
	MemoryContextSwitchTo(caller);
	return message;
}
