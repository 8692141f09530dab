/*
 * claims.c
 *		Which process decides about a message: the one that sends it, or those
 *		that cancel it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "outbox/claims.h"
#include "storage/lock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* advisory locks of SQL have 1 or 2 as the last of their numbers, shards 8 */
#define LOCK_KIND 9

/* Ids that this session has claimed, to send them. */
static HTAB *claims = NULL;

static LOCKTAG
tag_of(int64 id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) ((uint64) id >> 32), (uint32) id, LOCK_KIND);
	return tag;
}

static void
create_claims(void)
{
	HASHCTL		table = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(int64),
		.hcxt = TopMemoryContext
	};

	claims = hash_create("iotdata outbox claims", 256, &table,
						 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

bool
iotdata_claims_take(int64 id)
{
	LOCKTAG		tag = tag_of(id);

	if (claims == NULL)
		create_claims();
	if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	(void) hash_search(claims, &id, HASH_ENTER, NULL);
	return true;
}

void
iotdata_claims_release(int64 id)
{
	LOCKTAG		tag = tag_of(id);

	if (claims != NULL && hash_search(claims, &id, HASH_REMOVE, NULL) != NULL)
		(void) LockRelease(&tag, ExclusiveLock, true);
}

void
iotdata_claims_release_all(void)
{
	HASH_SEQ_STATUS status;
	const int64 *id;

	if (claims == NULL)
		return;
	hash_seq_init(&status, claims);
	while ((id = hash_seq_search(&status)) != NULL)
		iotdata_claims_release(*id);
}

bool
iotdata_claims_cancel(int64 id)
{
	LOCKTAG		tag = tag_of(id);

	return LockAcquire(&tag, ShareLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}
