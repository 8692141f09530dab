/*
 * row.c
 *		A row of iotdata.outbox, made a message that can be sent.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "outbox/relation.h"
#include "outbox/row.h"
#include "outbox/target.h"
#include "target/find.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* What a role may queue, for one function. */
typedef struct RoleEntry
{
	Oid			role;
	Oid			payload_type;
	NameData	server;			/* "": the default target */
	int			sqlstate;		/* 0: it may, */
	const char *refusal;
	const IotDataTarget *target;	/* to this; NULL: the default target */
} RoleEntry;

struct IotDataOutboxRoles
{
	MemoryContext context;
	List	   *entries;		/* of RoleEntry: there are few */
};

/* Changes of roles and functions. */
static uint64 changes;

/* The caches' callback. */
static void
note_change(Datum arg, IotDataSysCacheId cache, uint32 hash)
{
	changes++;
}

static void
listen(void)
{
	static bool listens = false;

	if (listens)
		return;
	CacheRegisterSyscacheCallback(AUTHOID, note_change, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, note_change, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, note_change, (Datum) 0);
	listens = true;
}

uint64
iotdata_outbox_row_changes(void)
{
	return changes + iotdata_target_changes();
}

IotDataOutboxRoles *
iotdata_outbox_roles_create(void)
{
	IotDataOutboxRoles *roles = palloc0(sizeof(*roles));

	listen();
	roles->context = CurrentMemoryContext;
	return roles;
}

/* ---- whether it may be sent ---- */

static void
refuse_role(RoleEntry *entry, int sqlstate, const char *why)
{
	entry->sqlstate = sqlstate;
	entry->refusal = why;
}

/* In the context of the entries. */
static void
find_permission(RoleEntry *entry)
{
	Oid			function;
	IotDataFailure failure;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(entry->role)))
	{
		refuse_role(entry, ERRCODE_INSUFFICIENT_PRIVILEGE,
					psprintf("role %u, which queued the message, does not exist", entry->role));
		return;
	}
	function = iotdata_outbox_function(entry->payload_type);
	if (!OidIsValid(function) || !iotdata_role_can_execute(function, entry->role))
	{
		refuse_role(entry, ERRCODE_INSUFFICIENT_PRIVILEGE,
					psprintf("permission denied for role \"%s\", which queued the message",
							 GetUserNameFromId(entry->role, false)));
		return;
	}
	if (NameStr(entry->server)[0] == '\0')
		return;
	entry->target = iotdata_outbox_target(NameStr(entry->server), entry->role,
										  CurrentMemoryContext, &failure);
	if (entry->target == NULL)
		refuse_role(entry, failure.sqlstate, failure.message);
}

/* May a role send to a server (NULL: the default target), and how? */
static const RoleEntry *
get_permission(IotDataOutboxRoles *roles, Oid role, Oid payload_type, const char *server)
{
	MemoryContext caller;
	RoleEntry  *entry;
	ListCell   *cell;

	if (server == NULL)
		server = "";
	foreach(cell, roles->entries)
	{
		entry = lfirst(cell);
		if (entry->role == role && entry->payload_type == payload_type &&
			strcmp(NameStr(entry->server), server) == 0)
			return entry;
	}
	caller = MemoryContextSwitchTo(roles->context);
	entry = palloc0(sizeof(*entry));
	entry->role = role;
	entry->payload_type = payload_type;
	namestrcpy(&entry->server, server);
	find_permission(entry);
	roles->entries = lappend(roles->entries, entry);
	MemoryContextSwitchTo(caller);
	return entry;
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
check_sender(IotDataOutboxMessage *message, IotDataOutboxRoles *roles)
{
	const RoleEntry *permission = get_permission(roles, message->owner, message->payload_type,
												 message->server);

	if (permission->sqlstate != 0)
	{
		refuse(message, permission->sqlstate, permission->refusal);
		return false;
	}
	if (permission->target != message->target)
	{
		message->target = permission->target;
		iotdata_target_hold(message->target, message->context);
	}
	return true;
}

void
iotdata_outbox_row_check(IotDataOutboxMessage *message, IotDataOutboxRoles *roles)
{
	MemoryContext caller = MemoryContextSwitchTo(message->context);

	if (message->request != NULL && !check_sender(message, roles))
		message->request = NULL;
	MemoryContextSwitchTo(caller);
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
	message->xid = DatumGetInt64(values[IOTDATA_OUTBOX_XID - 1]);
	message->owner = DatumGetObjectId(values[IOTDATA_OUTBOX_OWNER - 1]);
	if (!nulls[IOTDATA_OUTBOX_EXPIRES_AT - 1])
		message->expires_at = DatumGetTimestampTz(values[IOTDATA_OUTBOX_EXPIRES_AT - 1]);
	if (!nulls[IOTDATA_OUTBOX_PAYLOAD_TYPE - 1])
		message->payload_type = DatumGetObjectId(values[IOTDATA_OUTBOX_PAYLOAD_TYPE - 1]);
	if (!nulls[IOTDATA_OUTBOX_SERVER - 1])
		message->server = pstrdup(NameStr(*DatumGetName(values[IOTDATA_OUTBOX_SERVER - 1])));
	if (check_sender(message, roles))
		build(message, values, nulls, columns);
	message->size = MemoryContextMemAllocated(message->context, false);
	MemoryContextSwitchTo(caller);
	return message;
}

bool
iotdata_outbox_row_is_there(Relation outbox, Relation by_id, int64 id, int64 xid)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	bool		found = false;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	bool		isnull;

	ScanKeyInit(&key, IOTDATA_OUTBOX_ID, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	scan = systable_beginscan_ordered(outbox, by_id, snapshot, 1, &key);
	row = systable_getnext_ordered(scan, ForwardScanDirection);
	if (HeapTupleIsValid(row))
		found = DatumGetInt64(heap_getattr(row, IOTDATA_OUTBOX_XID, RelationGetDescr(outbox), &isnull)) == xid;
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	return found;
}
