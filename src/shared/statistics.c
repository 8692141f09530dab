/*
 * statistics.c
 *		What calls were made, by target, account and operation, and how they went.
 *
 * A table that is filled from its beginning; its last slot is everybody's for
 * whom there was none left. There are few, so they are simply gone through, by
 * hash. The area's lock is about which there are: shared to count and to copy
 * one out, exclusive to add one and to drop them all. The sums are atomics, so
 * that those who count do not wait for each other; a copy may have a call in one
 * sum and not yet in the next.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "shared/shared.h"
#include "shared/statistics.h"
#include "utils/timestamp.h"

/* the last one is for others */
#define NSLOTS 128
#define OTHERS (NSLOTS - 1)

/* an authority is a host name of up to 253 bytes and a port, in most cases */
#define TARGET_SIZE 264
#define ACCOUNT_SIZE 16
#define OPERATION_SIZE 64

/* The sums are all of 64 bits, and counted one by one. */
#define NSUMS (sizeof(IotDataCallSums) / sizeof(uint64))
#define SUM(member) (offsetof(IotDataCallSums, member) / sizeof(uint64))

StaticAssertDecl(sizeof(IotDataCallSums) == NSUMS * sizeof(uint64) &&
				 sizeof(TimestampTz) == sizeof(uint64),
				 "sums are of 64 bits each");

/* A slot's names, as they are stored. */
typedef struct Names
{
	uint64		hash;			/* of all of them */
	char		target[TARGET_SIZE];
	char		account[ACCOUNT_SIZE];
	char		operation[OPERATION_SIZE];
} Names;

typedef struct Slot
{
	Names		names;
	pg_atomic_uint64 sums[NSUMS];	/* as in IotDataCallSums; since 0: not
									 * used yet */
} Slot;

typedef struct Statistics
{
	int			nslots;			/* in use, without the one for others */
	Slot		slots[NSLOTS];
} Statistics;

Size
iotdata_statistics_area_size(void)
{
	return sizeof(Statistics);
}

/* Forget all of them. */
static void
clear(Statistics *all)
{
	all->nslots = 0;
	for (Slot *slot = all->slots; slot < all->slots + NSLOTS; slot++)
		for (size_t i = 0; i < NSUMS; i++)
			pg_atomic_write_u64(&slot->sums[i], 0);
}

void
iotdata_statistics_area_init(void *memory, Size size)
{
	Statistics *all = memory;

	memset(memory, 0, size);
	for (Slot *slot = all->slots; slot < all->slots + NSLOTS; slot++)
		for (size_t i = 0; i < NSUMS; i++)
			pg_atomic_init_u64(&slot->sums[i], 0);
}

static uint64
hash_string(uint64 seed, const char *string)
{
	return hash_bytes_extended((const unsigned char *) string, (int) strlen(string), seed);
}

/* The names are cut where they are too long. */
static void
set_names(Names *names, const char *target, const char *account, const char *operation)
{
	strlcpy(names->target, target, TARGET_SIZE);
	strlcpy(names->account, account, ACCOUNT_SIZE);
	strlcpy(names->operation, operation, OPERATION_SIZE);
	names->hash = hash_string(hash_string(hash_string(0, names->target), names->account),
							  names->operation);
}

/* The slot of these names, or the one for others when it is in use; else NULL. */
static Slot *
find_slot(Statistics *all, const Names *names)
{
	Slot	   *others = &all->slots[OTHERS];

	for (Slot *slot = all->slots; slot < all->slots + all->nslots; slot++)
		if (slot->names.hash == names->hash &&
			strcmp(slot->names.target, names->target) == 0 &&
			strcmp(slot->names.account, names->account) == 0 &&
			strcmp(slot->names.operation, names->operation) == 0)
			return slot;
	if (all->nslots == OTHERS && pg_atomic_read_u64(&others->sums[SUM(since)]) != 0)
		return others;
	return NULL;
}

/* Make a slot for names that have none. */
static Slot *
add_slot(Statistics *all, const Names *names)
{
	Slot	   *slot = &all->slots[all->nslots];

	if (all->nslots < OTHERS)
	{
		all->nslots++;
		slot->names = *names;
	}
	else
		set_names(&slot->names, "(others)", "(others)", "(others)");
	pg_atomic_write_u64(&slot->sums[SUM(since)], (uint64) GetCurrentTimestamp());
	return slot;
}

/* The slot of these names, with the area locked. */
static Slot *
lock_slot(Statistics *all, const Names *names)
{
	Slot	   *slot;

	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_SHARED);
	slot = find_slot(all, names);
	if (slot != NULL)
		return slot;
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_EXCLUSIVE);
	slot = find_slot(all, names);
	return slot != NULL ? slot : add_slot(all, names);
}

static int
latency_bucket(uint64 microseconds)
{
	uint64		milliseconds = microseconds / 1000;
	int			bucket;

	if (milliseconds == 0)
		return 0;
	bucket = pg_leftmost_one_pos64(milliseconds) + 1;
	return Min(bucket, IOTDATA_LATENCY_BUCKETS - 1);
}

static void
add(Slot *slot, size_t sum, uint64 number)
{
	if (number > 0)
		pg_atomic_fetch_add_u64(&slot->sums[sum], (int64) number);
}

static void
raise_to(pg_atomic_uint64 *max, uint64 number)
{
	uint64		current = pg_atomic_read_u64(max);

	/* a failed exchange reads the current value again */
	while (current < number && !pg_atomic_compare_exchange_u64(max, &current, number))
		;
}

static void
add_call(Slot *slot, const IotDataCallRecord *record)
{
	uint64		microseconds = Max(record->microseconds, 0);

	add(slot, SUM(calls), 1);
	add(slot, SUM(attempts), record->attempts);
	add(slot, SUM(retries), Max(record->attempts - 1, 0));
	add(slot, SUM(throttled), record->throttled);
	add(slot, SUM(outcomes) + record->outcome, 1);
	add(slot, SUM(bytes_sent), record->bytes_sent);
	add(slot, SUM(bytes_received), record->bytes_received);
	add(slot, SUM(connections_opened), record->connections_opened);
	add(slot, SUM(total_microseconds), microseconds);
	raise_to(&slot->sums[SUM(max_microseconds)], microseconds);
	add(slot, SUM(latencies) + latency_bucket(microseconds), 1);
}

void
iotdata_statistics_note_call(const char *target, const char *account,
							 const char *operation, const IotDataCallRecord *record)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);
	Names		names;

	set_names(&names, target, account, operation);
	add_call(lock_slot(all, &names), record);
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
}

void
iotdata_statistics_note_hits(const char *target, const char *account,
							 const char *operation, uint64 number)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);
	Names		names;

	set_names(&names, target, account, operation);
	add(lock_slot(all, &names), SUM(cache_hits), number);
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
}

bool
iotdata_statistics_get(int index, const char **target, const char **account,
					   const char **operation, IotDataCallSums *sums)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);
	uint64		copies[NSUMS];
	Names		names;
	bool		there;

	if (index < 0 || index >= NSLOTS)
		return false;
	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_SHARED);
	for (size_t i = 0; i < NSUMS; i++)
		copies[i] = pg_atomic_read_u64(&all->slots[index].sums[i]);
	there = copies[SUM(since)] != 0;
	if (there)
		names = all->slots[index].names;
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
	if (!there)
		return false;
	*target = pstrdup(names.target);
	*account = pstrdup(names.account);
	*operation = pstrdup(names.operation);
	memcpy(sums, copies, sizeof(*sums));
	return true;
}

void
iotdata_statistics_reset(void)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);

	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_EXCLUSIVE);
	clear(all);
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
}
