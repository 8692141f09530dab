/*
 * cache.c
 *		Answers that any session observed, and who is asking for what.
 *
 * The area's memory is divided into what is below (Kept), and the ring of
 * answers, which has the rest of it (kept_ring.c). The area's lock protects
 * both: shared to look for an answer, exclusive for all else; only the
 * condition variable looks after itself.
 *
 * Claims. A session that finds no answer claims the key before it asks, so
 * that others who want the same wait for its answer. The claims are a small
 * set-associative table: a key that finds its set full is asked for without
 * one, and then perhaps by two sessions at once. A claim ends by its release,
 * or when it is older than CLAIM_LASTS: its session may be gone, or wait for
 * something. Whoever takes it over gives it a new number, so that the former
 * owner's release, if it still comes, is nobody's.
 *
 * Waking. Who is refused a claim marks it, and its release wakes all who wait
 * for any, if it is marked: one condition variable serves for all claims, and
 * who is woken for another's looks again and goes on waiting. Nothing is lost
 * between looking and waiting, since a session is on the variable's list
 * before it looks.
 *
 * In memory of the backend's own nobody else can ask, so there are no claims.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "settings/settings.h"
#include "shared/cache.h"
#include "shared/cache_ring.h"
#include "shared/shared.h"
#include "storage/condition_variable.h"
#include "utils/timestamp.h"

/* a backend's own memory, when the library is not preloaded */
#define OWN_SIZE (4 * 1024 * 1024)

#define CLAIM_WAYS 4
#define NCLAIMS 1024

/* microseconds */
#define CLAIM_LASTS INT64CONST(3000000)

typedef struct Claim
{
	IotDataCacheClaim number;	/* 0: nobody's */
	uint64		hash;			/* of the key */
	int64		since;
	bool		awaited;
} Claim;

typedef struct Kept
{
	ConditionVariable released;
	uint64		nclaimed;		/* so far: makes the numbers */
	Claim		claims[NCLAIMS];
} Kept;

#define RING_OFFSET MAXALIGN(sizeof(Kept))

Size
iotdata_cache_area_size(void)
{
	if (!iotdata_shared_is_preloaded())
		return OWN_SIZE;
	return (Size) iotdata_cache_size * 1024;
}

void
iotdata_cache_area_init(void *memory, Size size)
{
	Kept	   *kept = memory;

	memset(kept, 0, sizeof(*kept));
	ConditionVariableInit(&kept->released);
	iotdata_cache_ring_init((char *) memory + RING_OFFSET, size - RING_OFFSET);
}

static Kept *
get_kept(void)
{
	return iotdata_shared_area(IOTDATA_SHARED_CACHE);
}

static IotDataCacheRing *
ring_of(Kept *kept)
{
	return (IotDataCacheRing *) ((char *) kept + RING_OFFSET);
}

/* ---- answers ---- */

uint64
iotdata_cache_hash(const uint8 *scope, const char *request, size_t length)
{
	uint64		hash = hash_bytes_extended(scope, IOTDATA_CACHE_SCOPE_SIZE, 0);

	return hash_bytes_extended((const unsigned char *) request, (int) length,
							   hash);
}

static IotDataCacheRingKey
ring_key(const IotDataCacheKey *key)
{
	return (IotDataCacheRingKey)
	{
		.hash = key->hash,
			.scope = key->scope, .scope_length = IOTDATA_CACHE_SCOPE_SIZE,
			.request = key->request, .request_length = key->length
	};
}

/*
 * An answer of the future was observed before the clock was set back. How old
 * it is cannot be said, so it is as good as none.
 */
static bool
is_of_the_future(const IotDataCacheRingValue *value)
{
	return value->observed_at > GetCurrentTimestamp();
}

bool
iotdata_cache_find(const IotDataCacheKey *key, TimestampTz oldest,
				   IotDataCachedAnswer *answer)
{
	Kept	   *kept = get_kept();
	IotDataCacheRingKey wanted = ring_key(key);
	IotDataCacheRingValue value;
	bool		found;

	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_SHARED);
	found = iotdata_cache_ring_find(ring_of(kept), &wanted, &value) &&
		value.observed_at >= oldest && !is_of_the_future(&value);
	if (found)
	{
		answer->observed_at = value.observed_at;
		answer->absent = value.absent;
		answer->length = value.length;
		memcpy(answer->bytes, value.bytes, value.length);
	}
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
	return found;
}

void
iotdata_cache_store(const IotDataCacheKey *key, const IotDataCachedAnswer *answer)
{
	Kept	   *kept = get_kept();
	IotDataCacheRingKey stored = ring_key(key);
	IotDataCacheRingValue value = {
		.observed_at = answer->observed_at, .absent = answer->absent,
		.bytes = answer->bytes, .length = answer->absent ? 0 : answer->length
	};
	IotDataCacheRingValue there;

	if (value.length > IOTDATA_CACHE_MAX_LENGTH)
		return;
	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	if (!iotdata_cache_ring_find(ring_of(kept), &stored, &there) ||
		there.observed_at <= value.observed_at || is_of_the_future(&there))
		iotdata_cache_ring_store(ring_of(kept), &stored, &value);
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
}

void
iotdata_cache_clear(void)
{
	Kept	   *kept = get_kept();

	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	iotdata_cache_ring_reset(ring_of(kept));
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
}

/* ---- claims ---- */

/* How long a claim is still good for; not more than 0: it counts as gone. */
static int64
claim_left(const Claim *claim, int64 now)
{
	int64		age = now - claim->since;

	/* of a clock that was read before we came to it, or of another one */
	if (age < 0)
		age = age < -CLAIM_LASTS ? CLAIM_LASTS : 0;
	return claim->number == 0 ? 0 : CLAIM_LASTS - age;
}

/* The key's claim, or the place for one; NULL when there is none. */
static Claim *
find_claim(Kept *kept, uint64 hash, int64 now)
{
	Claim	   *set = &kept->claims[hash % (NCLAIMS / CLAIM_WAYS) * CLAIM_WAYS];
	Claim	   *place = NULL;

	for (int i = 0; i < CLAIM_WAYS; i++)
	{
		if (set[i].number != 0 && set[i].hash == hash)
			return &set[i];
		if (place == NULL && claim_left(&set[i], now) <= 0)
			place = &set[i];
	}
	return place;
}

/*
 * Take a claim. Who awaits the one before, of whatever key, goes on doing so:
 * they look again when this one is released.
 */
static IotDataCacheClaim
take_claim(Kept *kept, Claim *claim, uint64 hash, int64 now)
{
	uint64		place = claim - kept->claims;

	claim->number = ++kept->nclaimed * NCLAIMS + place;
	claim->hash = hash;
	claim->since = now;
	return claim->number;
}

bool
iotdata_cache_claim(const IotDataCacheKey *key, int64 now,
					IotDataCacheClaim *number, int64 *wait)
{
	Kept	   *kept;
	Claim	   *claim;
	bool		taken = true;

	*number = 0;
	if (!iotdata_shared_is_preloaded())
		return true;
	kept = get_kept();
	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	claim = find_claim(kept, key->hash, now);
	if (claim != NULL && claim_left(claim, now) > 0)
	{
		claim->awaited = true;
		*wait = claim_left(claim, now);
		taken = false;
	}
	else if (claim != NULL)
		*number = take_claim(kept, claim, key->hash, now);
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
	return taken;
}

void
iotdata_cache_release(IotDataCacheClaim number)
{
	Kept	   *kept;
	Claim	   *claim;
	bool		awaited = false;

	if (number == 0)
		return;
	kept = get_kept();
	claim = &kept->claims[number % NCLAIMS];
	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	if (claim->number == number)
	{
		awaited = claim->awaited;
		claim->number = 0;
		claim->awaited = false;
	}
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
	if (awaited)
		ConditionVariableBroadcast(&kept->released);
}

void
iotdata_cache_prepare_to_wait(void)
{
	if (iotdata_shared_is_preloaded())
		ConditionVariablePrepareToSleep(&get_kept()->released);
}

void
iotdata_cache_stop_waiting(void)
{
	if (iotdata_shared_is_preloaded())
		ConditionVariableCancelSleep();
}
