/*
 * statistics.c
 *		What calls were made, by target, account and operation, and how
 *		they went.
 *
 * A table that is filled from its beginning; its last slot is everybody's for
 * whom there was none left. There are few, so they are simply gone through, by
 * hash. The area's lock protects all of it: shared to copy one out, exclusive for the fraction of a microsecond that counting takes.
 */
#include "postgres.h"

#include "common/hashfn.h"
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

typedef struct Slot
{
	uint64		hash;			/* of the names */
	char		target[TARGET_SIZE];
	char		account[ACCOUNT_SIZE];
	char		operation[OPERATION_SIZE];
	IotDataCallSums sums;		/* since 0: not used yet */
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

void
iotdata_statistics_area_init(void *memory, Size size)
{
	memset(memory, 0, size);
}

static uint64
hash_string(uint64 seed, const char *string)
{
	return hash_bytes_extended((const unsigned char *) string, (int) strlen(string), seed);
}

/* Names as they are stored, cut where they are too long. */
static void
set_names(Slot *slot, const char *target, const char *account, const char *operation)
{
	strlcpy(slot->target, target, TARGET_SIZE);
	strlcpy(slot->account, account, ACCOUNT_SIZE);
	strlcpy(slot->operation, operation, OPERATION_SIZE);
	slot->hash = hash_string(hash_string(hash_string(0, slot->target), slot->account),
							 slot->operation);
}

/* The slot that has the names of "wanted"; it is made when there is none. */
static Slot *
find_slot(Statistics *all, const Slot *wanted, TimestampTz now)
{
	Slot	   *slot;

	for (slot = all->slots; slot < all->slots + all->nslots; slot++)
		if (slot->hash == wanted->hash &&
			strcmp(slot->target, wanted->target) == 0 &&
			strcmp(slot->account, wanted->account) == 0 &&
			strcmp(slot->operation, wanted->operation) == 0)
			return slot;
	slot = &all->slots[all->nslots];
	if (all->nslots < OTHERS)
	{
		all->nslots++;
		memset(slot, 0, sizeof(*slot));
		set_names(slot, wanted->target, wanted->account, wanted->operation);
	}
	else
		set_names(slot, "(others)", "(others)", "(others)");
	if (slot->sums.since == 0)
		slot->sums.since = now;
	return slot;
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
add_call(IotDataCallSums *sums, const IotDataCallRecord *record)
{
	uint64		microseconds = Max(record->microseconds, 0);

	sums->calls++;
	sums->attempts += record->attempts;
	if (record->attempts > 1)
		sums->retries += record->attempts - 1;
	sums->throttled += record->throttled;
	sums->outcomes[record->outcome]++;
	sums->bytes_sent += record->bytes_sent;
	sums->bytes_received += record->bytes_received;
	sums->connections_opened += record->connections_opened;
	sums->total_microseconds += microseconds;
	sums->max_microseconds = Max(sums->max_microseconds, microseconds);
	sums->latencies[latency_bucket(microseconds)]++;
}

void
iotdata_statistics_note_call(const char *target, const char *account,
							 const char *operation, const IotDataCallRecord *record)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);
	TimestampTz now = GetCurrentTimestamp();
	Slot		wanted;

	set_names(&wanted, target, account, operation);
	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_EXCLUSIVE);
	add_call(&find_slot(all, &wanted, now)->sums, record);
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
}

void
iotdata_statistics_note_hits(const char *target, const char *account,
							 const char *operation, uint64 number)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);
	TimestampTz now = GetCurrentTimestamp();
	Slot		wanted;

	set_names(&wanted, target, account, operation);
	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_EXCLUSIVE);
	find_slot(all, &wanted, now)->sums.cache_hits += number;
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
}

bool
iotdata_statistics_get(int index, const char **target, const char **account,
					   const char **operation, IotDataCallSums *sums)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);
	Slot		copy;
	bool		there;

	if (index < 0 || index >= NSLOTS)
		return false;
	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_SHARED);
	there = all->slots[index].sums.since != 0;
	if (there)
		copy = all->slots[index];
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
	if (!there)
		return false;
	*target = pstrdup(copy.target);
	*account = pstrdup(copy.account);
	*operation = pstrdup(copy.operation);
	*sums = copy.sums;
	return true;
}

void
iotdata_statistics_reset(void)
{
	Statistics *all = iotdata_shared_area(IOTDATA_SHARED_STATISTICS);

	iotdata_shared_lock(IOTDATA_SHARED_STATISTICS, LW_EXCLUSIVE);
	memset(all, 0, sizeof(*all));
	iotdata_shared_unlock(IOTDATA_SHARED_STATISTICS);
}
