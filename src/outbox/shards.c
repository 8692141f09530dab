/*
 * shards.c
 *		Who sends which devices' messages: each shard has one owner at a time.
 *
 * A lock of the session's, which nothing but its release or the session's end
 * takes away: there is no lease that could run out while its owner lives.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "outbox/journal.h"
#include "outbox/shards.h"
#include "storage/lock.h"

/* "iotd"; advisory locks of SQL have 1 or 2 as the last of their numbers */
#define LOCK_CLASS 0x696f7464
#define LOCK_KIND 8

static LOCKTAG
tag_of(int shard)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, LOCK_CLASS, (uint32) shard, LOCK_KIND);
	return tag;
}

uint32
iotdata_shards_lock(uint32 wanted)
{
	uint32		locked = 0;

	for (int shard = 0; shard < IOTDATA_OUTBOX_SHARDS; shard++)
	{
		LOCKTAG		tag = tag_of(shard);

		if ((wanted & (UINT32_C(1) << shard)) != 0 &&
			LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_OK)
			locked |= UINT32_C(1) << shard;
	}
	return locked;
}

void
iotdata_shards_release(uint32 locked)
{
	for (int shard = 0; shard < IOTDATA_OUTBOX_SHARDS; shard++)
	{
		LOCKTAG		tag = tag_of(shard);

		if ((locked & (UINT32_C(1) << shard)) != 0)
			(void) LockRelease(&tag, ExclusiveLock, true);
	}
}
