/*
 * find.c
 *		The target that a call goes to.
 *
 * Targets of servers are kept for the backend, by server and user mapping,
 * until one of these changes: the catalogs' caches say so. That the current
 * user may use the server, and that its owner is a superuser, is looked up each
 * time. A target that is dropped from here lives on with those who hold it.
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "settings/setter.h"
#include "settings/settings.h"
#include "target/default.h"
#include "target/find.h"
#include "target/server.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

typedef struct TargetKey
{
	Oid			server;
	Oid			mapping;
	Oid			is_trusted;		/* 0 or 1, so that there is no padding */
} TargetKey;

typedef struct KeptTarget
{
	TargetKey	key;
	uint32		server_hash;	/* by which the caches tell of changes */
	uint32		mapping_hash;
	const IotDataTarget *target;
} KeptTarget;

static HTAB *kept_targets;

/* Counts all changes, so that one while a target is made does not get lost. */
static uint64 changes;

static void
drop(KeptTarget *kept)
{
	const IotDataTarget *target = kept->target;

	hash_search(kept_targets, &kept->key, HASH_REMOVE, NULL);
	iotdata_target_leave(target);
}

uint64
iotdata_target_changes(void)
{
	return changes;
}

/* The caches' callback: something has changed; "hash" 0: anything. */
static void
note_change(Datum arg, IotDataSysCacheId cache, uint32 hash)
{
	HASH_SEQ_STATUS all;
	KeptTarget *kept;

	changes++;
	hash_seq_init(&all, kept_targets);
	while ((kept = hash_seq_search(&all)) != NULL)
	{
		if (hash == 0 || cache == FOREIGNDATAWRAPPEROID ||
			(cache == FOREIGNSERVEROID && hash == kept->server_hash) ||
			(cache == USERMAPPINGOID && hash == kept->mapping_hash))
			drop(kept);
	}
}

static void
begin_keeping(void)
{
	HASHCTL		control = {
		.keysize = sizeof(TargetKey),
		.entrysize = sizeof(KeptTarget),
		.hcxt = TopMemoryContext
	};

	kept_targets = hash_create("iotdata targets", 16, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, note_change, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, note_change, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNDATAWRAPPEROID, note_change, (Datum) 0);
}

static void
keep(const TargetKey *key, const IotDataTarget *target)
{
	bool		found;
	KeptTarget *kept;

	kept = hash_search(kept_targets, key, HASH_ENTER, &found);
	Assert(!found);
	kept->target = target;
	iotdata_target_reference(target);
	kept->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(key->server));
	kept->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(key->mapping));
}

static const IotDataTarget *
find_kept(const TargetKey *key, MemoryContext holder)
{
	KeptTarget *kept = hash_search(kept_targets, key, HASH_FIND, NULL);
	const IotDataTarget *target;

	if (kept == NULL)
		return NULL;
	target = kept->target;
	if (!iotdata_server_is_current(target))
	{
		drop(kept);
		return NULL;
	}
	iotdata_target_hold(target, holder);
	return target;
}

static const IotDataTarget *
find_server(const char *name, MemoryContext holder, IotDataFailure *failure)
{
	IotDataServer server;
	const IotDataTarget *target;
	TargetKey	key;
	uint64		before;

	if (kept_targets == NULL)
		begin_keeping();
	/* a statement need not have taken any lock, which would have done this */
	AcceptInvalidationMessages();
	before = changes;
	if (!iotdata_server_find(&server, name, failure))
		return NULL;
	key = (TargetKey) {server.server, server.mapping, server.is_trusted};
	target = find_kept(&key, holder);
	if (target != NULL)
		return target;
	target = iotdata_server_target(&server, holder, failure);
	if (target != NULL && changes == before)
		keep(&key, target);
	return target;
}

/*
 * May the current user's calls go where the setting says? Who calls a function
 * that runs with its owner's privileges is not to choose where the owner's
 * calls go.
 */
static bool
may_use_setting(IotDataFailure *failure)
{
	Oid			setter = iotdata_setter_of_server();
	Oid			user = GetUserId();

	if (iotdata_server[0] == '\0' || !OidIsValid(setter) || setter == user ||
		superuser_arg(setter) || has_privs_of_role(setter, user))
		return true;
	failure->sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
	failure->message = psprintf("iotdata.server was not set for calls of role \"%s\"",
								GetUserNameFromId(user, false));
	failure->detail = "The call is made with the privileges of another role than the one that chose the server.";
	failure->hint = "Name the server in the call (server => '' is the default target), or set iotdata.server in the definition of the function that makes it.";
	return false;
}

const IotDataTarget *
iotdata_target_find(const char *server, MemoryContext holder, IotDataFailure *failure)
{
	const char *name = server != NULL ? server : iotdata_server;
	IotDataTarget target;

	if (server == NULL && !may_use_setting(failure))
		return NULL;
	if (name[0] != '\0')
		return find_server(name, holder, failure);
	if (!iotdata_target_default(&target, failure))
		return NULL;
	return iotdata_target_create(&target, holder);
}
