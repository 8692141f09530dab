/*
 * cache_ring_test.c
 *		The ring of cached answers, against a model of it.
 */
#include "unit.h"

#include "shared/cache_ring.h"

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

/* A hash that collides at will: in all of it, or in its bucket. */
static uint64_t
hash_of(int scope, const char *request, size_t length, uint64_t mask)
{
	uint64_t	hash = 14695981039346656037u + (uint64_t) scope;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) request[i]) * 1099511628211u;
	return hash & mask;
}

static IotDataCacheKey
key_of(int scope, const char *request, uint64_t mask)
{
	size_t		length = strlen(request);

	return (IotDataCacheKey)
	{
		.hash = hash_of(scope, request, length, mask),
			.scope = scopes[scope], .request = request, .length = length
	};
}

static void
store(IotDataCacheRing *ring, int scope, const char *request, int64_t observed_at,
	  const char *bytes)
{
	IotDataCacheKey key = key_of(scope, request, UINT64_MAX);
	IotDataCachedAnswer value = {
		.observed_at = observed_at, .not_found = bytes == NULL,
		.bytes = bytes, .length = bytes == NULL ? 0 : strlen(bytes)
	};

	iotdata_cache_ring_store(ring, &key, &value);
}

static bool
find(const IotDataCacheRing *ring, int scope, const char *request,
	 IotDataCachedAnswer *value)
{
	IotDataCacheKey key = key_of(scope, request, UINT64_MAX);

	return iotdata_cache_ring_find(ring, &key, value);
}

static void
an_answer_is_found_by_all_of_its_key(void **state)
{
	void	   *memory = malloc(65536);
	IotDataCacheRing *ring = iotdata_cache_ring_init(memory, 65536);
	IotDataCachedAnswer value;

	(void) state;
	assert_false(find(ring, 0, "/a", &value));
	store(ring, 0, "/a", 7, "answer");
	assert_true(find(ring, 0, "/a", &value));
	assert_int_equal(value.observed_at, 7);
	assert_false(value.not_found);
	assert_int_equal(value.length, 6);
	assert_memory_equal(value.bytes, "answer", 6);
	assert_false(find(ring, 1, "/a", &value));
	assert_false(find(ring, 0, "/b", &value));
	assert_false(find(ring, 0, "/", &value));
	assert_false(find(ring, 0, "/a?", &value));
	assert_false(find(ring, 0, "", &value));

	/* the other scope's is another entry */
	store(ring, 1, "/a", 8, NULL);
	assert_true(find(ring, 1, "/a", &value));
	assert_true(value.not_found);
	assert_int_equal(value.length, 0);
	assert_true(find(ring, 0, "/a", &value));
	assert_int_equal(value.observed_at, 7);
	free(memory);
}

static void
a_new_entry_takes_the_place_of_the_old_one(void **state)
{
	void	   *memory = malloc(65536);
	IotDataCacheRing *ring = iotdata_cache_ring_init(memory, 65536);
	IotDataCachedAnswer value;

	(void) state;
	for (int i = 0; i < 10000; i++)
	{
		store(ring, 0, "/a", i, i % 2 == 0 ? NULL : "answer");
		assert_true(find(ring, 0, "/a", &value));
		assert_int_equal(value.observed_at, i);
		assert_int_equal(value.not_found, i % 2 == 0);
	}
	free(memory);
}

static void
nothing_is_found_after_a_clear(void **state)
{
	void	   *memory = malloc(65536);
	IotDataCacheRing *ring = iotdata_cache_ring_init(memory, 65536);
	IotDataCachedAnswer value;

	(void) state;
	store(ring, 0, "/a", 1, "old");
	store(ring, 0, "/b", 1, "old");
	iotdata_cache_ring_reset(ring);
	assert_false(find(ring, 0, "/a", &value));
	assert_false(find(ring, 0, "/b", &value));
	store(ring, 0, "/a", 2, "new");
	assert_true(find(ring, 0, "/a", &value));
	assert_int_equal(value.observed_at, 2);
	assert_false(find(ring, 0, "/b", &value));
	free(memory);
}

static void
what_is_too_long_is_not_cached(void **state)
{
	enum
	{
		SIZE = 65536
	};
	void	   *memory = malloc(SIZE);
	IotDataCacheRing *ring = iotdata_cache_ring_init(memory, SIZE);
	char	   *bytes = calloc(1, SIZE * 2);
	IotDataCachedAnswer value;
	int			kept = 0;

	(void) state;
	memset(bytes, 'x', SIZE * 2 - 1);
	for (size_t length = 0; length < SIZE * 2; length += 97)
	{
		store(ring, 0, "/a", 1, "old");
		store(ring, 0, "/a", 2, bytes + SIZE * 2 - 1 - length);

		/* if it is not kept, then the old one is not taken for it */
		if (find(ring, 0, "/a", &value))
		{
			assert_int_equal(value.observed_at, 2);
			assert_int_equal(value.length, length);
			kept++;
		}
	}
	assert_within(kept, 2048 / 97, SIZE / 8 / 97);
	free(bytes);
	free(memory);
}

static void
the_oldest_entries_are_evicted_first(void **state)
{
	enum
	{
		SIZE = 1024 * 1024
	};
	void	   *memory = malloc(SIZE);
	IotDataCacheRing *ring = iotdata_cache_ring_init(memory, SIZE);
	IotDataCachedAnswer value;
	char		request[64];
	int			kept = 0;

	(void) state;
	for (int i = 0; i < 50000; i++)
	{
		snprintf(request, sizeof(request), "/connections/device-%d", i);
		store(ring, 0, request, i, "0123456789012345678901234567890123456789");
	}
	for (int i = 49999; i >= 0; i--)
	{
		snprintf(request, sizeof(request), "/connections/device-%d", i);
		if (!find(ring, 0, request, &value))
			break;
		assert_int_equal(value.observed_at, i);
		kept++;
	}

	/* each takes 40 + 32 + 25 + 40 bytes, and the index a sixteenth */
	assert_within(kept, SIZE * 15 / 16 / 144 - 20, SIZE / 136);
	for (int i = 0; i < 50000 - kept; i++)
	{
		snprintf(request, sizeof(request), "/connections/device-%d", i);
		assert_false(find(ring, 0, request, &value));
	}
	free(memory);
}

/* ---- at random ---- */

#define MODEL_KEYS 600
#define LONGEST 2048

/* What was stored last for each key; length -1: nothing since forgetting. */
typedef struct Model
{
	int			stored[MODEL_KEYS]; /* number of the store */
	int			length[MODEL_KEYS];
	int			stores;
} Model;

/* bytes that tell which store they are of */
static void
fill(char *bytes, int length, int number)
{
	for (int i = 0; i < length; i++)
		bytes[i] = (char) (number * 31 + i * 7);
}

static void
random_store(IotDataCacheRing *ring, Model *model, int which, const char *request,
			 uint64_t mask, int longest)
{
	char		bytes[LONGEST];
	int			length = (int) (random_number() % (uint64_t) (longest + 1));
	IotDataCacheKey key = key_of(which % 2, request, mask);
	IotDataCachedAnswer value;
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
	iotdata_cache_ring_store(ring, &key, &value);
	free(copy);
	model->stored[which] = model->stores;
	model->length[which] = length;
}

/* Returns whether it is there; then it must be what was stored last. */
static bool
check_find(const IotDataCacheRing *ring, const Model *model, int which,
		   const char *request, uint64_t mask)
{
	IotDataCacheKey key = key_of(which % 2, request, mask);
	IotDataCachedAnswer value;
	char		bytes[LONGEST];

	if (!iotdata_cache_ring_find(ring, &key, &value))
		return false;
	assert_true(model->length[which] >= 0);
	assert_int_equal(value.observed_at, model->stored[which]);
	assert_int_equal(value.not_found, model->stored[which] % 5 == 0);
	assert_int_equal(value.length, model->length[which]);
	fill(bytes, model->length[which], model->stored[which]);
	assert_memory_equal(value.bytes, bytes, value.length);
	return true;
}

/* What was stored no longer ago than so many bytes is there. */
static void
check_all(const IotDataCacheRing *ring, const Model *model,
		  char requests[][64], uint64_t mask, int surely)
{
	for (int i = 0; i < MODEL_KEYS; i++)
	{
		bool		found = check_find(ring, model, i, requests[i], mask);

		if (model->length[i] >= 0 && model->stored[i] > model->stores - surely)
			assert_true(found);
		if (model->length[i] < 0)
			assert_false(found);
	}
}

static void
random_run(size_t size, uint64_t mask, int longest)
{
	static char requests[MODEL_KEYS][64];
	char	   *memory = malloc(size);
	IotDataCacheRing *ring = iotdata_cache_ring_init(memory, size);
	Model		model = {.stores = 0};

	/*
	 * as many as fit whatever their length, less what is left at the ring's
	 * end
	 */
	int			surely = (int) (size * 15 / 16 / (size_t) (longest + 40 + 32 + 64 + 8)) - 2;

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
			iotdata_cache_ring_reset(ring);
			for (int i = 0; i < MODEL_KEYS; i++)
				model.length[i] = -1;
		}
		else if (random_number() % 3 != 0)
			random_store(ring, &model, which, requests[which], mask, longest);
		else
			check_find(ring, &model, which, requests[which], mask);
		if (step % 499 == 0)
			check_all(ring, &model, requests, mask, surely);
	}
	check_all(ring, &model, requests, mask, surely);
	free(memory);
}

static void
random_runs_give_what_a_model_gives(void **state)
{
	static const uint64_t masks[] = {UINT64_MAX, 0xff, 3, 0};
	static const size_t sizes[] = {65536, 65544, 70000, 100001, 262144};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(masks); i++)
		for (size_t j = 0; j < LENGTH_OF(sizes); j++)
		{
			random_run(sizes[j], masks[i], LONGEST);
			random_run(sizes[j], masks[i], 100);
			random_run(sizes[j], masks[i], 0);
		}
}

/* The memory's owner may use what is before and behind it. */
static void
nothing_outside_of_its_memory_is_written(void **state)
{
	enum
	{
		SIZE = 65536 + 40,
		AROUND = 4096
	};
	char	   *memory = malloc(SIZE + 2 * AROUND);
	IotDataCacheRing *ring;

	(void) state;
	memset(memory, 0x5a, SIZE + 2 * AROUND);
	ring = iotdata_cache_ring_init(memory + AROUND, SIZE);
	for (int i = 0; i < 20000; i++)
	{
		char		request[64];

		snprintf(request, sizeof(request), "/%d", i);
		store(ring, i % 2, request, i, i % 3 == 0 ? "" : "answer");
	}
	for (int i = 0; i < AROUND; i++)
	{
		assert_int_equal(memory[i], 0x5a);
		assert_int_equal(memory[AROUND + SIZE + i], 0x5a);
	}
	free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_by_all_of_its_key),
		cmocka_unit_test(a_new_entry_takes_the_place_of_the_old_one),
		cmocka_unit_test(nothing_is_found_after_a_clear),
		cmocka_unit_test(what_is_too_long_is_not_cached),
		cmocka_unit_test(the_oldest_entries_are_evicted_first),
		cmocka_unit_test(random_runs_give_what_a_model_gives),
		cmocka_unit_test(nothing_outside_of_its_memory_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
