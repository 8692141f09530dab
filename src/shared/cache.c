/*
 * cache.c
 *		The response cache: answers that any session observed, and who is asking
 *		for what.
 *
 * The area's memory is divided into what is below (Cache), and the ring of
 * answers, which has the rest of it (cache_ring.c). The area's lock protects
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

typedef struct Cache
{
	ConditionVariable released;
	uint64		nclaimed;		/* so far: makes the numbers */
	Claim		claims[NCLAIMS];
} Cache;

#define RING_OFFSET MAXALIGN(sizeof(Cache))

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
	Cache	   *cache = memory;

	memset(cache, 0, sizeof(*cache));
	ConditionVariableInit(&cache->released);
	iotdata_cache_ring_init((char *) memory + RING_OFFSET, size - RING_OFFSET);
}

static Cache *
get_cache(void)
{
	return iotdata_shared_area(IOTDATA_SHARED_CACHE);
}

static IotDataCacheRing *
ring_of(Cache *cache)
{
	return (IotDataCacheRing *) ((char *) cache + RING_OFFSET);
}

/* ---- values as bytes ---- */

/*
 * A value's bytes: its type, then what the type needs. A string has its length
 * before it and a NUL behind it. Numbers are as the machine has them.
 */
static const void *
content(const IotDataJsonValue *value, size_t *length)
{
	switch (value->type)
	{
		case IOTDATA_JSON_MISSING:
		case IOTDATA_JSON_NULL:
			*length = 0;
			return value;
		case IOTDATA_JSON_BOOLEAN:
			*length = sizeof(value->boolean);
			return &value->boolean;
		case IOTDATA_JSON_INTEGER:
			*length = sizeof(value->integer);
			return &value->integer;
		case IOTDATA_JSON_REAL:
			*length = sizeof(value->real);
			return &value->real;
		case IOTDATA_JSON_STRING:
			*length = value->length + 1;
			return value->string;
		default:
			return NULL;		/* not a simple one */
	}
}

size_t
iotdata_cache_pack(const IotDataJsonValue *values, int nvalues, char *out,
				   size_t size)
{
	char	   *next = out;

	for (int i = 0; i < nvalues; i++)
	{
		size_t		length;
		const void *bytes = content(&values[i], &length);

		if (bytes == NULL ||
			length + sizeof(length) + 1 > size - (size_t) (next - out))
			return 0;
		*next++ = (char) values[i].type;
		if (values[i].type == IOTDATA_JSON_STRING)
		{
			memcpy(next, &values[i].length, sizeof(values[i].length));
			next += sizeof(values[i].length);
		}
		memcpy(next, bytes, length);
		next += length;
	}
	return (size_t) (next - out);
}

static const char *
take(void *into, const char *from, size_t length)
{
	memcpy(into, from, length);
	return from + length;
}

void
iotdata_cache_unpack(const char *bytes, IotDataJsonValue *values, int nvalues)
{
	for (IotDataJsonValue *value = values; value < values + nvalues; value++)
	{
		value->type = (IotDataJsonType) *bytes++;
		switch (value->type)
		{
			case IOTDATA_JSON_BOOLEAN:
				bytes = take(&value->boolean, bytes, sizeof(value->boolean));
				break;
			case IOTDATA_JSON_INTEGER:
				bytes = take(&value->integer, bytes, sizeof(value->integer));
				break;
			case IOTDATA_JSON_REAL:
				bytes = take(&value->real, bytes, sizeof(value->real));
				break;
			case IOTDATA_JSON_STRING:
				bytes = take(&value->length, bytes, sizeof(value->length));
				value->string = bytes;
				bytes += value->length + 1;
				break;
			default:
				break;
		}
	}
}

/* ---- answers ---- */

IotDataCacheKey
iotdata_cache_key(const uint8 *scope, const char *request, size_t length)
{
	uint64		hash = hash_bytes_extended(scope, IOTDATA_CACHE_SCOPE_SIZE, 0);

	return (IotDataCacheKey)
	{
		.hash = hash_bytes_extended((const unsigned char *) request, (int) length, hash),
			.scope = scope, .request = request, .length = length
	};
}

/*
 * An answer of the future was observed before the clock was set back. How old
 * it is cannot be said, so it is as good as none.
 */
static bool
is_of_the_future(const IotDataCachedAnswer *answer, TimestampTz now)
{
	return answer->observed_at > now;
}

bool
iotdata_cache_find(const IotDataCacheKey *key, int64 max_age,
				   IotDataCachedAnswer *answer,
				   char buffer[IOTDATA_CACHE_MAX_LENGTH])
{
	Cache	   *cache = get_cache();
	TimestampTz now = GetCurrentTimestamp();
	bool		found;

	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_SHARED);
	found = iotdata_cache_ring_find(ring_of(cache), key, answer) &&
		!is_of_the_future(answer, now) && now - answer->observed_at <= max_age;
	if (found)
	{
		memcpy(buffer, answer->bytes, answer->length);
		answer->bytes = buffer;
	}
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
	return found;
}

void
iotdata_cache_store(const IotDataCacheKey *key, const IotDataCachedAnswer *answer)
{
	Cache	   *cache = get_cache();
	TimestampTz now = GetCurrentTimestamp();
	IotDataCachedAnswer there;

	if (answer->length > IOTDATA_CACHE_MAX_LENGTH)
		return;
	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	if (!iotdata_cache_ring_find(ring_of(cache), key, &there) ||
		there.observed_at <= answer->observed_at || is_of_the_future(&there, now))
		iotdata_cache_ring_store(ring_of(cache), key, answer);
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
}

void
iotdata_cache_clear(void)
{
	Cache	   *cache = get_cache();

	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	iotdata_cache_ring_reset(ring_of(cache));
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
find_claim(Cache *cache, uint64 hash, int64 now)
{
	Claim	   *set = &cache->claims[hash % (NCLAIMS / CLAIM_WAYS) * CLAIM_WAYS];
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
take_claim(Cache *cache, Claim *claim, uint64 hash, int64 now)
{
	uint64		place = claim - cache->claims;

	claim->number = ++cache->nclaimed * NCLAIMS + place;
	claim->hash = hash;
	claim->since = now;
	return claim->number;
}

bool
iotdata_cache_claim(const IotDataCacheKey *key, int64 now,
					IotDataCacheClaim *number, int64 *wait)
{
	Cache	   *cache;
	Claim	   *claim;
	bool		taken = true;

	*number = 0;
	if (!iotdata_shared_is_preloaded())
		return true;
	cache = get_cache();
	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	claim = find_claim(cache, key->hash, now);
	if (claim != NULL && claim_left(claim, now) > 0)
	{
		claim->awaited = true;
		*wait = claim_left(claim, now);
		taken = false;
	}
	else if (claim != NULL)
		*number = take_claim(cache, claim, key->hash, now);
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
	return taken;
}

void
iotdata_cache_release(IotDataCacheClaim number)
{
	Cache	   *cache;
	Claim	   *claim;
	bool		awaited = false;

	if (number == 0)
		return;
	cache = get_cache();
	claim = &cache->claims[number % NCLAIMS];
	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	if (claim->number == number)
	{
		awaited = claim->awaited;
		claim->number = 0;
		claim->awaited = false;
	}
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
	if (awaited)
		ConditionVariableBroadcast(&cache->released);
}

void
iotdata_cache_prepare_to_wait(void)
{
	if (iotdata_shared_is_preloaded())
		ConditionVariablePrepareToSleep(&get_cache()->released);
}

void
iotdata_cache_stop_waiting(void)
{
	if (iotdata_shared_is_preloaded())
		ConditionVariableCancelSleep();
}
