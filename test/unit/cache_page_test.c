/*
 * cache_page_test.c
 *		Pages of the response cache: against a model, and under the patterns that
 *		it is used with.
 */
#include "unit.h"

#include "shared/cache_page.h"

static const uint8_t scopes[2][IOTDATA_CACHE_SCOPE_SIZE] = {"one", "another"};

static uint64_t
random_number(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A hash that collides at will. */
static uint64_t
hash_of(int scope, const char *request, size_t length, uint64_t mask)
{
	uint64_t	hash = 14695981039346656037u + (uint64_t) scope;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) request[i]) * 1099511628211u;
	return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u & mask;
}

static IotDataCacheKey
key_of(int scope, const char *request, uint64_t mask)
{
	size_t		length = strlen(request);

	return (IotDataCacheKey)
	{
		.hash = hash_of(scope, request, length, mask),
			.scope = scopes[scope], .request = request, .length = length,
			.label = request, .label_length = length
	};
}

static IotDataCachePage *
new_page(void)
{
	IotDataCachePage *page = malloc(IOTDATA_CACHE_PAGE_SIZE);

	memset(page, 0x5a, IOTDATA_CACHE_PAGE_SIZE);
	iotdata_cache_page_init(page);
	return page;
}

static int
store(IotDataCachePage *page, int scope, const char *request, int64_t observed_at,
	  const char *bytes)
{
	IotDataCacheKey key = key_of(scope, request, UINT64_MAX);
	IotDataCachedAnswer value = {
		.observed_at = observed_at, .not_found = bytes == NULL,
		.bytes = bytes, .length = bytes == NULL ? 0 : strlen(bytes)
	};

	return iotdata_cache_page_store(page, &key, &value, INT64_MIN, INT64_MAX);
}

static bool
find(IotDataCachePage *page, int scope, const char *request,
	 IotDataCachedAnswer *value)
{
	IotDataCacheKey key = key_of(scope, request, UINT64_MAX);

	return iotdata_cache_page_find(page, &key, value);
}

static IotDataCacheUse
use_of(const IotDataCachePage *page)
{
	IotDataCacheUse use = {.oldest = INT64_MAX};

	iotdata_cache_page_describe(page, &use);
	return use;
}

static void
an_answer_is_found_by_all_of_its_key(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCachedAnswer value;

	(void) state;
	assert_false(find(page, 0, "/a", &value));
	store(page, 0, "/a", 7, "answer");
	assert_true(find(page, 0, "/a", &value));
	assert_int_equal(value.observed_at, 7);
	assert_false(value.not_found);
	assert_int_equal(value.length, 6);
	assert_memory_equal(value.bytes, "answer", 6);
	assert_false(find(page, 1, "/a", &value));
	assert_false(find(page, 0, "/b", &value));
	assert_false(find(page, 0, "/", &value));
	assert_false(find(page, 0, "/a?", &value));
	assert_false(find(page, 0, "", &value));

	/* the other scope's is another entry */
	store(page, 1, "/a", 8, NULL);
	assert_true(find(page, 1, "/a", &value));
	assert_true(value.not_found);
	assert_int_equal(value.length, 0);
	assert_true(find(page, 0, "/a", &value));
	assert_int_equal(value.observed_at, 7);
	free(page);
}

static void
a_new_answer_takes_the_place_of_the_old_one(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCachedAnswer value;

	(void) state;
	for (int i = 0; i < 10000; i++)
	{
		assert_int_equal(store(page, 0, "/a", i, i % 2 == 0 ? NULL : "answer"), 0);
		assert_true(find(page, 0, "/a", &value));
		assert_int_equal(value.observed_at, i);
		assert_int_equal(value.not_found, i % 2 == 0);
		assert_int_equal(use_of(page).entries, 1);
	}
	free(page);
}

static void
nothing_is_found_after_a_reset(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCachedAnswer value;

	(void) state;
	store(page, 0, "/a", 1, "old");
	store(page, 0, "/b", 1, "old");
	iotdata_cache_page_reset(page);
	assert_false(find(page, 0, "/a", &value));
	assert_false(find(page, 0, "/b", &value));
	assert_int_equal(use_of(page).entries, 0);
	assert_int_equal(use_of(page).bytes, 0);
	store(page, 0, "/a", 2, "new");
	assert_true(find(page, 0, "/a", &value));
	assert_false(find(page, 0, "/b", &value));
	free(page);
}

static void
what_is_too_long_is_not_stored(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCacheKey key = key_of(0, "/a", UINT64_MAX);
	char	   *bytes = calloc(1, 1 << 17);
	IotDataCachedAnswer value = {.observed_at = 1, .bytes = bytes};
	static const size_t lengths[] = {IOTDATA_CACHE_PAGE_SIZE / 4, 65536, 1 << 17};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(lengths); i++)
	{
		store(page, 0, "/a", 1, "short");
		value.length = lengths[i];
		assert_int_equal(iotdata_cache_page_store(page, &key, &value, INT64_MIN, INT64_MAX), 0);
		assert_false(find(page, 0, "/a", &value));
		assert_int_equal(use_of(page).bytes, 0);
	}
	value = (IotDataCachedAnswer) {.observed_at = 1, .bytes = bytes, .length = 2048};
	iotdata_cache_page_store(page, &key, &value, INT64_MIN, INT64_MAX);
	assert_true(find(page, 0, "/a", &value));
	assert_int_equal(value.length, 2048);
	free(bytes);
	free(page);
}

static void
answers_about_a_path_are_dropped_whatever_the_query(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCacheKey path = key_of(0, "/c/a", UINT64_MAX);
	IotDataCacheKey short_key = path;
	IotDataCachedAnswer value = {.observed_at = 1, .not_found = true};
	static const char *const others[] = {"/c/a/b?x", "/c/ab", "/c/b", "/c/"};

	(void) state;
	path.label = path.request + 3;
	path.label_length = 1;
	short_key.label = path.label;
	short_key.label_length = 1;
	for (short_key.template = 1; short_key.template <= 3; short_key.template++)
		iotdata_cache_page_store(page, &short_key, &value, INT64_MIN, INT64_MAX);
	store(page, 0, "/c/a", 1, "answer");
	store(page, 0, "/c/a?x=1", 1, "answer");
	store(page, 1, "/c/a", 1, "another's");
	for (size_t i = 0; i < LENGTH_OF(others); i++)
		store(page, 0, others[i], 1, "other");
	iotdata_cache_page_drop(page, &path, 1 | 1 << 1 | 1 << 3);
	assert_false(find(page, 0, "/c/a", &value));
	assert_false(find(page, 0, "/c/a?x=1", &value));
	assert_true(find(page, 1, "/c/a", &value));
	for (size_t i = 0; i < LENGTH_OF(others); i++)
		assert_true(find(page, 0, others[i], &value));
	for (short_key.template = 1; short_key.template <= 3; short_key.template++)
		assert_int_equal(iotdata_cache_page_find(page, &short_key, &value), short_key.template == 2);
	assert_int_equal(use_of(page).entries, 6);
	free(page);
}

static void
use_is_described(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCacheUse use = {.entries = 3, .bytes = 5, .oldest = 150};

	(void) state;
	store(page, 0, "/a", 300, "answer");
	store(page, 0, "/b", 200, NULL);
	iotdata_cache_page_describe(page, &use);
	assert_int_equal(use.entries, 5);
	assert_int_equal(use.bytes, 5 + 2 * (4 + 28 + 2) + 6);
	assert_int_equal(use.oldest, 150);
	assert_int_equal(use_of(page).oldest, 200);
	free(page);
}

static void
a_label_is_another_key_with_each_template(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCacheKey key = key_of(0, "/a?b", 0);
	IotDataCachedAnswer value = {0};

	(void) state;
	key.label = "a";
	key.label_length = 1;
	for (unsigned int i = 0; i <= IOTDATA_CACHE_MAX_TEMPLATE; i++)
	{
		key.template = i;
		value.observed_at = i;
		iotdata_cache_page_store(page, &key, &value, INT64_MIN, INT64_MAX);
	}
	for (unsigned int i = 0; i <= IOTDATA_CACHE_MAX_TEMPLATE; i++)
	{
		key.template = i;
		assert_true(iotdata_cache_page_find(page, &key, &value));
		assert_int_equal(value.observed_at, i);
	}
	key.label_length = 0;
	assert_false(iotdata_cache_page_find(page, &key, &value));
	free(page);
}

static void
a_key_that_is_too_long_is_not_found(void **state)
{
	IotDataCachePage *page = new_page();
	char	   *request = calloc(1, 70000);
	IotDataCacheKey key;
	IotDataCachedAnswer value = {0};

	(void) state;
	memset(request, 'a', 69999);
	for (size_t length = 4000; length < 70000; length += 100)
	{
		key = key_of(0, "", 0);
		key.label = request;
		key.label_length = length;
		iotdata_cache_page_store(page, &key, &value, INT64_MIN, INT64_MAX);
		assert_int_equal(iotdata_cache_page_find(page, &key, &value), length <= IOTDATA_CACHE_PAGE_SIZE / 4 - 28);
		assert_true(use_of(page).entries <= 1);
	}
	free(request);
	free(page);
}

/* ---- what goes first ---- */

static void
what_nobody_can_use_goes_first(void **state)
{
	IotDataCachePage *page = new_page();
	IotDataCacheKey key;
	IotDataCachedAnswer value = {.observed_at = 500, .bytes = "answer", .length = 6};
	char		request[32];
	int			stored = 0;
	int			evicted = 0;

	(void) state;

	/* every third too old, every third of the future; wanted all the same */
	while (evicted == 0 && stored < 1000)
	{
		snprintf(request, sizeof(request), "/%d", stored);
		key = key_of(0, request, UINT64_MAX);
		value.observed_at = stored % 3 == 0 ? 99 : stored % 3 == 1 ? 601 : 100;
		evicted = iotdata_cache_page_store(page, &key, &value, 100, 600);
		if (stored % 3 != 2)
			iotdata_cache_page_find(page, &key, &value);
		value.bytes = "answer";
		stored++;
	}
	assert_within(evicted, (stored - 1) * 2 / 3, (stored - 1) * 2 / 3 + 1);
	for (int i = 0; i < stored - 1; i++)
	{
		snprintf(request, sizeof(request), "/%d", i);
		assert_int_equal(find(page, 0, request, &value), i % 3 == 2);
	}
	free(page);
}

/* A cache of some pages, and what an access to a device comes to. */
#define NPAGES 40
#define ENTRY_LENGTH 50

typedef struct Cache
{
	IotDataCachePage *pages[NPAGES];
	int			evictions;
} Cache;

static void
begin_cache(Cache *cache)
{
	for (int i = 0; i < NPAGES; i++)
		cache->pages[i] = new_page();
	cache->evictions = 0;
}

static void
end_cache(Cache *cache)
{
	for (int i = 0; i < NPAGES; i++)
		free(cache->pages[i]);
}

/* Returns whether it was a hit; otherwise it is stored. */
static bool
access_device(Cache *cache, int device)
{
	char		bytes[ENTRY_LENGTH] = {0};
	char		request[64];
	IotDataCacheKey key;
	IotDataCachePage *page;
	IotDataCachedAnswer value;

	snprintf(request, sizeof(request), "/connections/device-%013d", device);
	key = key_of(0, request, UINT64_MAX);
	page = cache->pages[key.hash % NPAGES];
	if (iotdata_cache_page_find(page, &key, &value))
		return true;
	value = (IotDataCachedAnswer) {.observed_at = 1, .bytes = bytes, .length = sizeof(bytes)};
	cache->evictions += iotdata_cache_page_store(page, &key, &value, INT64_MIN, INT64_MAX);
	return false;
}

/* How many devices fit: each with a slot, a head, its request and its answer. */
#define THAT_FIT (NPAGES * (IOTDATA_CACHE_PAGE_SIZE - 8) / (4 + 28 + 33 + 1 + ENTRY_LENGTH))

/* The share of a scan over so many devices that are hits. */
static double
scan(Cache *cache, int first, int number)
{
	int			hits = 0;

	for (int i = 0; i < number; i++)
		hits += access_device(cache, first + i);
	return (double) hits / number;
}

static void
nearly_as_many_as_fit_are_kept(void **state)
{
	Cache		cache;

	(void) state;
	begin_cache(&cache);
	scan(&cache, 0, THAT_FIT * 4 / 5);
	assert_true(cache.evictions <= THAT_FIT / 200);
	assert_true(scan(&cache, 0, THAT_FIT * 4 / 5) > 0.99);
	end_cache(&cache);
}

static void
a_scan_that_comes_round_has_hits_though_not_all_fit(void **state)
{
	Cache		cache;

	(void) state;
	begin_cache(&cache);
	scan(&cache, 0, THAT_FIT * 5 / 4);
	for (int i = 0; i < 10; i++)
		assert_true(scan(&cache, 0, THAT_FIT * 5 / 4) >= 0.5);
	end_cache(&cache);
}

/* A few devices that are asked for again and again, between a scan's. */
static double
scan_beside_hot_ones(Cache *cache, int number, int *hot_hits, int *hot_accesses)
{
	int			hits = 0;

	for (int i = 0; i < number; i++)
	{
		hits += access_device(cache, i);
		if (i % 10 == 0)
		{
			*hot_hits += access_device(cache, 1000000000 + i / 10 % 100);
			*hot_accesses += 1;
		}
	}
	return (double) hits / number;
}

static void
a_hot_set_survives_a_long_scan(void **state)
{
	Cache		cache;
	int			hits = 0;
	int			accesses = 0;

	(void) state;
	begin_cache(&cache);
	for (int i = 0; i < 5; i++)
		scan(&cache, 1000000000, 100);
	scan_beside_hot_ones(&cache, 10 * THAT_FIT, &hits, &accesses);
	assert_true(hits >= accesses * 0.99);
	end_cache(&cache);
}

static void
a_hot_set_and_a_scan_that_comes_round_both_have_hits(void **state)
{
	Cache		cache;
	int			hits = 0;
	int			accesses = 0;

	(void) state;
	begin_cache(&cache);
	scan_beside_hot_ones(&cache, THAT_FIT * 5 / 4, &hits, &accesses);
	hits = accesses = 0;
	for (int i = 0; i < 5; i++)
		assert_true(scan_beside_hot_ones(&cache, THAT_FIT * 5 / 4, &hits, &accesses) >= 0.5);
	assert_true(hits >= accesses * 0.99);
	end_cache(&cache);
}

static void
other_devices_take_the_place_of_those_that_are_not_asked_for_any_more(void **state)
{
	Cache		cache;

	(void) state;
	begin_cache(&cache);
	for (int i = 0; i < 5; i++)
		scan(&cache, 0, THAT_FIT * 9 / 10);
	for (int i = 0; i < 5; i++)
		scan(&cache, 500000000, THAT_FIT * 9 / 10);
	assert_true(scan(&cache, 500000000, THAT_FIT * 9 / 10) >= 0.8);
	end_cache(&cache);
}

/* ---- at random ---- */

#define MODEL_KEYS 600
#define LONGEST 2048

/* What was stored last for each key; length -1: nothing since a reset. */
typedef struct Model
{
	int			stored[MODEL_KEYS]; /* number of the store */
	int			length[MODEL_KEYS];
	int			stores;
	int			known;			/* entries that should be there */
} Model;

/* bytes that tell which store they are of */
static void
fill(char *bytes, int length, int number)
{
	for (int i = 0; i < length; i++)
		bytes[i] = (char) (number * 31 + i * 7);
}

/* Returns whether it is there; then it must be what was stored last. */
static bool
check_find(IotDataCachePage *page, const Model *model, int which,
		   const char *request, uint64_t mask)
{
	IotDataCacheKey key = key_of(which % 2, request, mask);
	IotDataCachedAnswer value;
	char		bytes[LONGEST];

	if (!iotdata_cache_page_find(page, &key, &value))
		return false;
	assert_true(model->length[which] >= 0);
	assert_int_equal(value.observed_at, model->stored[which]);
	assert_int_equal(value.not_found, model->stored[which] % 5 == 0);
	assert_int_equal(value.length, model->length[which]);
	fill(bytes, model->length[which], model->stored[which]);
	assert_memory_equal(value.bytes, bytes, value.length);
	return true;
}

static void
random_store(IotDataCachePage *page, Model *model, int which, const char *request,
			 uint64_t mask, int longest)
{
	char		bytes[LONGEST];
	int			length = (int) (random_number() % (uint64_t) (longest + 1));
	IotDataCacheKey key = key_of(which % 2, request, mask);
	IotDataCachedAnswer value;
	bool		there = check_find(page, model, which, request, mask);
	char	   *copy;

	if (random_number() % 8 == 0)
		length = longest;
	model->stores++;
	fill(bytes, length, model->stores);
	copy = exact_copy(bytes, (size_t) length);
	value = (IotDataCachedAnswer)
	{
		.observed_at = model->stores, .not_found = model->stores % 5 == 0,
			.bytes = copy, .length = (size_t) length
	};
	model->known -= iotdata_cache_page_store(page, &key, &value,
											 random_number() % 50 == 0 ? model->stores - 50 : INT64_MIN,
											 INT64_MAX);
	model->known += there ? 0 : 1;
	free(copy);
	model->stored[which] = model->stores;
	model->length[which] = length;
	assert_true(check_find(page, model, which, request, mask));
}

/* All that is found is right, and as many are found as were not dropped. */
static void
check_all(IotDataCachePage *page, const Model *model, char requests[][64], uint64_t mask)
{
	int			found = 0;

	for (int i = 0; i < MODEL_KEYS; i++)
		found += check_find(page, model, i, requests[i], mask);
	assert_int_equal(found, model->known);
	assert_int_equal(use_of(page).entries, model->known);
}

static void
random_run(uint64_t mask, int longest)
{
	static char requests[MODEL_KEYS][64];
	IotDataCachePage *page = new_page();
	Model		model = {.stores = 0};

	for (int i = 0; i < MODEL_KEYS; i++)
	{
		/* two keys with each request, of one scope each */
		snprintf(requests[i], sizeof(requests[i]), "/%0*d", i / 2 % 40, i / 2);
		model.length[i] = -1;
	}
	for (int step = 0; step < 15000; step++)
	{
		int			which = (int) (random_number() % MODEL_KEYS);

		if (random_number() % 5000 == 0)
		{
			iotdata_cache_page_reset(page);
			model.known = 0;
			for (int i = 0; i < MODEL_KEYS; i++)
				model.length[i] = -1;
		}
		else if (random_number() % 3 != 0)
			random_store(page, &model, which, requests[which], mask, longest);
		else
			check_find(page, &model, which, requests[which], mask);
		if (step % 499 == 0)
			check_all(page, &model, requests, mask);
	}
	check_all(page, &model, requests, mask);
	free(page);
}

static void
random_runs_give_what_a_model_gives(void **state)
{
	static const uint64_t masks[] = {UINT64_MAX, (uint64_t) 3 << 56, 0};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(masks); i++)
	{
		random_run(masks[i], LONGEST);
		random_run(masks[i], 100);
		random_run(masks[i], 0);
	}
}

/* The next page begins right behind it. */
static void
nothing_outside_of_its_memory_is_written(void **state)
{
	enum
	{
		AROUND = 4096
	};
	char	   *memory = malloc(IOTDATA_CACHE_PAGE_SIZE + 2 * AROUND);
	IotDataCachePage *page = (IotDataCachePage *) (memory + AROUND);

	(void) state;
	memset(memory, 0x5a, IOTDATA_CACHE_PAGE_SIZE + 2 * AROUND);
	iotdata_cache_page_init(page);
	for (int i = 0; i < 20000; i++)
	{
		char		request[64];

		snprintf(request, sizeof(request), "/%d", i);
		store(page, i % 2, request, i, i % 3 == 0 ? "" : "answer");
	}
	for (int i = 0; i < AROUND; i++)
	{
		assert_int_equal(memory[i], 0x5a);
		assert_int_equal(memory[AROUND + IOTDATA_CACHE_PAGE_SIZE + i], 0x5a);
	}
	free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_by_all_of_its_key),
		cmocka_unit_test(a_new_answer_takes_the_place_of_the_old_one),
		cmocka_unit_test(nothing_is_found_after_a_reset),
		cmocka_unit_test(what_is_too_long_is_not_stored),
		cmocka_unit_test(use_is_described),
		cmocka_unit_test(a_label_is_another_key_with_each_template),
		cmocka_unit_test(answers_about_a_path_are_dropped_whatever_the_query),
		cmocka_unit_test(a_key_that_is_too_long_is_not_found),
		cmocka_unit_test(what_nobody_can_use_goes_first),
		cmocka_unit_test(nearly_as_many_as_fit_are_kept),
		cmocka_unit_test(a_scan_that_comes_round_has_hits_though_not_all_fit),
		cmocka_unit_test(a_hot_set_survives_a_long_scan),
		cmocka_unit_test(a_hot_set_and_a_scan_that_comes_round_both_have_hits),
		cmocka_unit_test(other_devices_take_the_place_of_those_that_are_not_asked_for_any_more),
		cmocka_unit_test(random_runs_give_what_a_model_gives),
		cmocka_unit_test(nothing_outside_of_its_memory_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
