/*
 * cache.c
 *		The response cache: answers that any session observed.
 *
 * Answers. They are in pages (cache_page.c), each key's in the one that its hash
 * names, and the pages in turn belong to as many partitions as there are locks
 * for them: shared to find an answer, exclusive to store one. What finding counts
 * are atomics, by partition. So sessions that read do not wait for each other,
 * and who stores keeps out few.
 *
 * Templates. What is around the label in a request's path, query included, is
 * the same for all devices, and as long as a client ID. So it is stored once,
 * and each key has its number. There are few: a template that finds no place is
 * stored with its keys. They are only ever added, under the area's lock, and
 * read without one up to the number that has been published.
 *
 * How old may an answer be and still be of use? The longest max_age that was asked
 * for lately tells: what is older goes first. An age counts for as long as it is,
 * but at least a minute and at most an hour, and then gives way to the next one
 * that is asked for. Its two numbers are not read and written together; at worst
 * an answer is dropped a little early.
 *
 * Drops. What a session has done may belie an answer (a connection was deleted).
 * Then the answers about it are dropped, and those on their way must not come in
 * their place. So who asks notes how often answers about the same were dropped
 * before the request is sent, and stores the answer only if that has not happened
 * since. It is counted before the page is locked for dropping, and looked at
 * while it is locked for storing: an answer that was asked for before is either
 * there to be dropped, or not stored. All answers about a path are in one page.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/atomics.h"
#include "settings/settings.h"
#include "shared/cache.h"
#include "shared/shared.h"
#include "utils/timestamp.h"

/* a backend's own memory, when the library is not preloaded */
#define OWN_SIZE (4 * 1024 * 1024)

/* An age that was asked for counts for as long as that; microseconds. */
#define AGE_LASTS_AT_LEAST USECS_PER_MINUTE
#define AGE_LASTS_AT_MOST USECS_PER_HOUR

/* longest that there is a place for */
#define TEMPLATE_SIZE 120

/* A request without its path's label. */
typedef struct Template
{
	uint32		before;			/* bytes before the label, */
	uint32		after;			/* and behind it */
	char		bytes[TEMPLATE_SIZE];	/* both */
} Template;

/* What the finding and storing of a partition's answers has come to. */
enum
{
	HITS,
	MISSES,
	EVICTIONS
};

/* in a cache line of its own */
typedef struct Counters
{
	pg_atomic_uint64 counts[PG_CACHE_LINE_SIZE / sizeof(pg_atomic_uint64)];
} Counters;

typedef struct Cache
{
	Counters	counters[IOTDATA_SHARED_NPARTITIONS];
	pg_atomic_uint64 age;		/* the longest that was asked for lately; 0:
								 * none */
	pg_atomic_uint64 asked_at;	/* when */
	uint64		npages;
	pg_atomic_uint32 ntemplates;
	Template	templates[IOTDATA_CACHE_MAX_TEMPLATE];
} Cache;

#define PAGES_OFFSET CACHELINEALIGN(sizeof(Cache))

static IotDataCachePage *
page_at(Cache *cache, uint64 number)
{
	return (IotDataCachePage *) ((char *) cache + PAGES_OFFSET + number * IOTDATA_CACHE_PAGE_SIZE);
}

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
	for (int i = 0; i < IOTDATA_SHARED_NPARTITIONS; i++)
	{
		pg_atomic_init_u64(&cache->counters[i].counts[HITS], 0);
		pg_atomic_init_u64(&cache->counters[i].counts[MISSES], 0);
		pg_atomic_init_u64(&cache->counters[i].counts[EVICTIONS], 0);
	}
	pg_atomic_init_u64(&cache->age, 0);
	pg_atomic_init_u64(&cache->asked_at, 0);
	pg_atomic_init_u32(&cache->ntemplates, 0);
	cache->npages = (size - PAGES_OFFSET) / IOTDATA_CACHE_PAGE_SIZE;
	for (uint64 i = 0; i < cache->npages; i++)
		iotdata_cache_page_init(page_at(cache, i));
}

static Cache *
get_cache(void)
{
	return iotdata_shared_area(IOTDATA_SHARED_CACHE);
}

/* ---- how old answers may be ---- */

static bool
age_counts(int64 age, TimestampTz asked_at, TimestampTz now)
{
	int64		lasts = Min(Max(age, AGE_LASTS_AT_LEAST), AGE_LASTS_AT_MOST);

	return age > 0 && asked_at <= now && now - asked_at <= lasts;
}

/* Somebody takes an answer of that age. */
static void
note_age(Cache *cache, int64 max_age, TimestampTz now)
{
	int64		age = (int64) pg_atomic_read_u64(&cache->age);
	TimestampTz asked_at = (TimestampTz) pg_atomic_read_u64(&cache->asked_at);

	/* once a second is often enough to say that it is still asked for */
	if (max_age == age && asked_at <= now && now - asked_at < USECS_PER_SEC)
		return;
	if (max_age < age && age_counts(age, asked_at, now))
		return;
	pg_atomic_write_u64(&cache->age, (uint64) max_age);
	pg_atomic_write_u64(&cache->asked_at, (uint64) now);
}

/* What was observed before is of use to nobody. */
static TimestampTz
useful_since(Cache *cache, TimestampTz now)
{
	int64		age = (int64) pg_atomic_read_u64(&cache->age);
	TimestampTz asked_at = (TimestampTz) pg_atomic_read_u64(&cache->asked_at);

	if (!age_counts(age, asked_at, now) || age > PG_INT64_MAX / 2)
		return PG_INT64_MIN;
	return now - age;
}

/* ---- keys ---- */

/* A request, divided at its label: what is between the last slash and the query. */
typedef struct Parts
{
	const char *before;			/* of the label: the request's beginning */
	size_t		before_length;
	const char *after;			/* the query, with its question mark */
	size_t		after_length;
} Parts;

static Parts
divide(const char *request, size_t length)
{
	const char *end = memchr(request, '?', length);
	const char *label;

	if (end == NULL)
		end = request + length;
	for (label = end; label > request && label[-1] != '/';)
		label--;
	return (Parts) {request, label - request, end, request + length - end};
}

static bool
is_before(const Template *template, const Parts *parts)
{
	return template->before == parts->before_length &&
		memcmp(template->bytes, parts->before, parts->before_length) == 0;
}

/* The number of a request's template, from 1; 0: there is none. */
static uint32
find_template(Cache *cache, const Parts *parts)
{
	uint32		ntemplates = pg_atomic_read_u32(&cache->ntemplates);

	pg_read_barrier();
	for (uint32 i = 0; i < ntemplates; i++)
	{
		const Template *template = &cache->templates[i];

		if (template->after == parts->after_length && is_before(template, parts) &&
			memcmp(template->bytes + template->before, parts->after, parts->after_length) == 0)
			return i + 1;
	}
	return 0;
}

static uint32
add_template(Cache *cache, const Parts *parts)
{
	uint32		number;
	uint32		ntemplates;

	iotdata_shared_lock(IOTDATA_SHARED_CACHE, LW_EXCLUSIVE);
	number = find_template(cache, parts);
	ntemplates = pg_atomic_read_u32(&cache->ntemplates);
	if (number == 0 && ntemplates < IOTDATA_CACHE_MAX_TEMPLATE)
	{
		Template   *template = &cache->templates[ntemplates];

		template->before = (uint32) parts->before_length;
		template->after = (uint32) parts->after_length;
		memcpy(template->bytes, parts->before, parts->before_length);
		memcpy(template->bytes + parts->before_length, parts->after, parts->after_length);
		number = ntemplates + 1;
		pg_write_barrier();
		pg_atomic_write_u32(&cache->ntemplates, number);
	}
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE);
	return number;
}

/* Find a key's page. */
static IotDataCachePage *
page_of(Cache *cache, const IotDataCacheKey *key)
{
	return page_at(cache, key->place % cache->npages);
}

/* The hashes. A scope's bytes are one already. */
static void
hash_key(IotDataCacheKey *key, size_t path_length)
{
	uint64		scope;

	memcpy(&scope, key->scope, sizeof(scope));
	key->place = hash_bytes_extended((const unsigned char *) key->request, (int) path_length, scope);
	key->hash = hash_bytes_extended((const unsigned char *) key->request + path_length,
									(int) (key->length - path_length), key->place);
}

IotDataCacheKey
iotdata_cache_key(const uint8 *scope, const char *request, size_t length)
{
	Cache	   *cache = get_cache();
	Parts		parts = divide(request, length);
	IotDataCacheKey key = {
		.scope = scope, .request = request, .length = length,
		.label = request, .label_length = length
	};

	hash_key(&key, length - parts.after_length);
	/* it comes while the rest is done */
	__builtin_prefetch(page_of(cache, &key));
	if (parts.before_length + parts.after_length > TEMPLATE_SIZE)
		return key;
	key.template = find_template(cache, &parts);
	if (key.template == 0 &&
		pg_atomic_read_u32(&cache->ntemplates) < IOTDATA_CACHE_MAX_TEMPLATE)
		key.template = add_template(cache, &parts);
	if (key.template != 0)
	{
		key.label += parts.before_length;
		key.label_length -= parts.before_length + parts.after_length;
	}
	return key;
}

/* ---- answers ---- */

/* Where a key's answer is. */
typedef struct Place
{
	IotDataCachePage *page;
	int			partition;
	Counters   *counters;
} Place;

static Place
place_of(Cache *cache, const IotDataCacheKey *key)
{
	uint64		page = key->place % cache->npages;
	int			partition = (int) (page % IOTDATA_SHARED_NPARTITIONS);

	return (Place) {page_at(cache, page), partition, &cache->counters[partition]};
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
	Place		place = place_of(cache, key);
	TimestampTz now;
	bool		found;

	iotdata_shared_lock_partition(place.partition, LW_SHARED);
	/* not before: what others stored until then would be of the future */
	now = GetCurrentTimestamp();
	found = iotdata_cache_page_find(place.page, key, answer) &&
		!is_of_the_future(answer, now) && now - answer->observed_at <= max_age;
	if (found)
	{
		if (answer->length > 0)
			memcpy(buffer, answer->bytes, answer->length);
		answer->bytes = buffer;
	}
	iotdata_shared_unlock_partition(place.partition);
	note_age(cache, max_age, now);
	if (found)
		pg_atomic_fetch_add_u64(&place.counters->counts[HITS], 1);
	return found;
}

void
iotdata_cache_note_miss(const IotDataCacheKey *key)
{
	pg_atomic_fetch_add_u64(&place_of(get_cache(), key).counters->counts[MISSES], 1);
}

void
iotdata_cache_store(const IotDataCacheKey *key, const IotDataCachedAnswer *answer,
					const IotDataCacheDrops *asked)
{
	Cache	   *cache = get_cache();
	Place		place = place_of(cache, key);
	TimestampTz now;
	IotDataCachedAnswer there;
	int			evictions = 0;

	if (answer->length > IOTDATA_CACHE_MAX_LENGTH)
		return;
	iotdata_shared_lock_partition(place.partition, LW_EXCLUSIVE);
	now = GetCurrentTimestamp();
	if (iotdata_cache_drops_are(asked) &&
		(!iotdata_cache_page_find(place.page, key, &there) ||
		 there.observed_at <= answer->observed_at || is_of_the_future(&there, now)))
		evictions = iotdata_cache_page_store(place.page, key, answer, useful_since(cache, now), now);
	iotdata_shared_unlock_partition(place.partition);
	if (evictions > 0)
		pg_atomic_fetch_add_u64(&place.counters->counts[EVICTIONS], evictions);
}

/* The templates of a path, with whatever query; a bit each, and that of none. */
static uint32
templates_of(Cache *cache, const Parts *path)
{
	uint32		ntemplates = pg_atomic_read_u32(&cache->ntemplates);
	uint32		templates = 1;

	pg_read_barrier();
	for (uint32 i = 0; i < ntemplates; i++)
	{
		if (is_before(&cache->templates[i], path))
			templates |= UINT32_C(1) << (i + 1);
	}
	return templates;
}

void
iotdata_cache_drop(const uint8 *scope, const char *path, uint64 subject)
{
	Parts		parts = divide(path, strlen(path));
	IotDataCacheKey key = {
		.scope = scope, .request = path, .length = strlen(path),
		.label = path + parts.before_length,
		.label_length = strlen(path) - parts.before_length
	};
	Cache	   *cache;
	Place		place;

	iotdata_cache_note_drop(subject);
	if (!iotdata_shared_has_area(IOTDATA_SHARED_CACHE))
		return;
	cache = get_cache();
	hash_key(&key, key.length);
	place = place_of(cache, &key);
	iotdata_shared_lock_partition(place.partition, LW_EXCLUSIVE);
	iotdata_cache_page_drop(place.page, &key, templates_of(cache, &parts));
	iotdata_shared_unlock_partition(place.partition);
}

void
iotdata_cache_clear(void)
{
	Cache	   *cache = get_cache();

	for (uint64 i = 0; i < cache->npages; i++)
	{
		int			partition = (int) (i % IOTDATA_SHARED_NPARTITIONS);

		iotdata_shared_lock_partition(partition, LW_EXCLUSIVE);
		iotdata_cache_page_reset(page_at(cache, i));
		iotdata_shared_unlock_partition(partition);
	}
}

/* ---- statistics ---- */

void
iotdata_cache_get_statistics(IotDataCacheStatistics *statistics)
{
	Cache	   *cache = get_cache();

	memset(statistics, 0, sizeof(*statistics));
	statistics->use.oldest = PG_INT64_MAX;
	statistics->capacity = cache->npages * IOTDATA_CACHE_PAGE_SIZE;
	for (uint64 i = 0; i < cache->npages; i++)
	{
		int			partition = (int) (i % IOTDATA_SHARED_NPARTITIONS);

		iotdata_shared_lock_partition(partition, LW_SHARED);
		iotdata_cache_page_describe(page_at(cache, i), &statistics->use);
		iotdata_shared_unlock_partition(partition);
	}
	for (Counters *counters = cache->counters; counters < cache->counters + IOTDATA_SHARED_NPARTITIONS; counters++)
	{
		statistics->hits += pg_atomic_read_u64(&counters->counts[HITS]);
		statistics->misses += pg_atomic_read_u64(&counters->counts[MISSES]);
		statistics->evictions += pg_atomic_read_u64(&counters->counts[EVICTIONS]);
	}
}

void
iotdata_cache_reset_statistics(void)
{
	Cache	   *cache = get_cache();

	for (Counters *counters = cache->counters; counters < cache->counters + IOTDATA_SHARED_NPARTITIONS; counters++)
	{
		pg_atomic_write_u64(&counters->counts[HITS], 0);
		pg_atomic_write_u64(&counters->counts[MISSES], 0);
		pg_atomic_write_u64(&counters->counts[EVICTIONS], 0);
	}
}
