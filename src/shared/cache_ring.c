/*
 * cache_ring.c
 *		Entries found by their key in a ring of bytes.
 *
 * Entries lie one after the other, each in one piece; where one does not fit
 * before the ring's end it begins anew at the ring's beginning. A position
 * counts all bytes that were ever passed over, and never comes again; its
 * place in the ring is the position modulo the ring's size. "head" is the
 * position of the next entry, so what a position pointed to is still there
 * exactly when it is not more than a ring's size behind head. Nothing has to be
 * taken out for a new entry to be put in.
 *
 * The index is an array of buckets, by hash: each has the position of its
 * newest entry, and each entry that of the next older one of the same bucket.
 * As positions only decrease along such a chain, it ends at the first that is
 * gone. A key's older entry is taken out of its chain when a new one is
 * stored, so that a device that is asked about every second does not make its
 * bucket's chain as long as the ring.
 *
 * "floor" makes all that is before it gone, too: to forget everything is to
 * raise it to head. Both begin at the ring's size, so that position 0, which
 * an empty bucket has, is gone from the beginning.
 */
#include <string.h>

#include "shared/cache_ring.h"

/* for one bucket: somewhat less than what an entry takes */
#define BYTES_PER_BUCKET 128

#define ALIGNED(length) (((length) + 7) & ~(size_t) 7)

struct IotDataCacheRing
{
	uint64_t	size;			/* of the ring */
	uint64_t	head;
	uint64_t	floor;
	uint64_t	nbuckets;
	uint64_t	buckets[];		/* and after them the ring */
};

/* An answer with its key. */
typedef struct Entry
{
	uint64_t	older;			/* position in the same bucket */
	uint64_t	hash;
	int64_t		observed_at;
	uint32_t	not_found;
	uint32_t	request_length;
	uint32_t	answer_length;
	uint8_t		scope[IOTDATA_CACHE_SCOPE_SIZE];
	char		bytes[];		/* the request, then the answer */
} Entry;

IotDataCacheRing *
iotdata_cache_ring_init(void *memory, size_t size)
{
	IotDataCacheRing *ring = memory;
	size_t		room = size - sizeof(*ring);

	ring->nbuckets = room / (sizeof(uint64_t) + BYTES_PER_BUCKET);
	ring->size = (room - ring->nbuckets * sizeof(uint64_t)) & ~(size_t) 7;
	ring->head = ring->size;
	ring->floor = ring->size;
	memset(ring->buckets, 0, ring->nbuckets * sizeof(uint64_t));
	return ring;
}

static const Entry *
entry_at(const IotDataCacheRing *ring, uint64_t position)
{
	const char *bytes = (const char *) (ring->buckets + ring->nbuckets);

	return (const Entry *) (bytes + position % ring->size);
}

static bool
is_there(const IotDataCacheRing *ring, uint64_t position)
{
	return position >= ring->floor && position + ring->size >= ring->head;
}

static bool
has_key(const Entry *entry, const IotDataCacheKey *key)
{
	return entry->hash == key->hash &&
		entry->request_length == key->length &&
		memcmp(entry->scope, key->scope, sizeof(entry->scope)) == 0 &&
		memcmp(entry->bytes, key->request, key->length) == 0;
}

bool
iotdata_cache_ring_find(const IotDataCacheRing *ring, const IotDataCacheKey *key,
						IotDataCachedAnswer *answer)
{
	uint64_t	position = ring->buckets[key->hash % ring->nbuckets];

	while (is_there(ring, position))
	{
		const Entry *entry = entry_at(ring, position);

		if (has_key(entry, key))
		{
			answer->observed_at = entry->observed_at;
			answer->not_found = entry->not_found;
			answer->bytes = entry->bytes + entry->request_length;
			answer->length = entry->answer_length;
			return true;
		}
		position = entry->older;
	}
	return false;
}

/* Take a key's entry out of its chain. There is one at most. */
static void
unlink_entry(IotDataCacheRing *ring, const IotDataCacheKey *key)
{
	uint64_t   *link = &ring->buckets[key->hash % ring->nbuckets];

	while (is_there(ring, *link))
	{
		Entry	   *entry = (Entry *) entry_at(ring, *link);

		if (has_key(entry, key))
		{
			*link = entry->older;
			return;
		}
		link = &entry->older;
	}
}

void
iotdata_cache_ring_store(IotDataCacheRing *ring, const IotDataCacheKey *key,
						 const IotDataCachedAnswer *answer)
{
	size_t		length = ALIGNED(sizeof(Entry) + key->length + answer->length);
	uint64_t   *bucket = &ring->buckets[key->hash % ring->nbuckets];
	uint64_t	left = ring->size - ring->head % ring->size;
	Entry	   *entry;

	unlink_entry(ring, key);
	if (length > ring->size / 8)
		return;
	if (length > left)
		ring->head += left;
	entry = (Entry *) entry_at(ring, ring->head);
	entry->older = *bucket;
	entry->hash = key->hash;
	entry->observed_at = answer->observed_at;
	entry->not_found = answer->not_found;
	entry->request_length = (uint32_t) key->length;
	entry->answer_length = (uint32_t) answer->length;
	memcpy(entry->scope, key->scope, sizeof(entry->scope));
	memcpy(entry->bytes, key->request, key->length);
	if (answer->length > 0)
		memcpy(entry->bytes + key->length, answer->bytes, answer->length);
	*bucket = ring->head;
	ring->head += length;
}

void
iotdata_cache_ring_reset(IotDataCacheRing *ring)
{
	ring->floor = ring->head;
}
