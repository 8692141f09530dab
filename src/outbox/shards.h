/*
 * shards.h
 *		Who sends which devices' messages: each shard has one owner at a time.
 */
#ifndef IOTDATA_OUTBOX_SHARDS_H
#define IOTDATA_OUTBOX_SHARDS_H

#include "postgres.h"

/*
 * Lock those of the database's shards whose bits are set, as far as nobody else
 * has them, until they are released or the session ends. Returns the bits of
 * those that were locked.
 */
extern uint32 iotdata_shards_lock(uint32 wanted);

extern void iotdata_shards_release(uint32 locked);

#endif							/* IOTDATA_OUTBOX_SHARDS_H */
