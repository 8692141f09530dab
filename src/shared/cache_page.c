/*
 * cache_page.c
 *		A page of the response cache.
 *
 * Entries lie one after the other at the page's end, without gaps: what is in
 * front of one that goes is moved up. A slot for each is at the page's beginning,
 * with where it is and eight bits of its key's hash, so that to find an entry is
 * to go through the slots. All that is ever done is bounded by the page's size.
 *
 * Which entry goes when there is no room: those that nobody can use any more;
 * then the first, from a random slot on, that was not found since the hand
 * passed it last. Each find counts up to MAX_MARK, each passing takes one off
 * (CLOCK with a random hand). Compared by simulation, over loops longer than
 * the cache, a few hot keys beside a long scan, both together, a change of all
 * keys, and a skewed distribution: what drops the oldest (FIFO, CLOCK, SIEVE)
 * has no hit in a loop; random alone loses a seventh of the hot keys; S3-FIFO
 * is good at all but a change of keys, and falls from 0.8 to 0.36 in a loop. This
 * one has six in ten where a loop is a quarter too long, and 0.998 of the hot.
 */
#include <string.h>

#include "shared/cache_page.h"

/* Half of a SHA-256 is still more than anybody can find another one for. */
#define STORED_SCOPE_SIZE 16

#define MAX_MARK 3

/* in answer_length: it was a 404 */
#define NOT_FOUND 0x8000

/* in label: the template's number is above the length */
#define TEMPLATE_SHIFT 12

typedef struct Slot
{
	uint16_t	offset;			/* of the entry */
	uint8_t		tag;			/* of the key's hash */
	uint8_t		mark;			/* changed by those who find, too */
} Slot;

struct IotDataCachePage
{
	uint32_t	random;			/* state of the generator; not 0 */
	uint16_t	nslots;
	uint16_t	low;			/* offset of the first entry's first byte */
	Slot		slots[];
};

/* An answer with its key. Aligned for a uint16_t only. */
typedef struct Entry
{
	uint8_t		observed_at[sizeof(int64_t)];
	uint8_t		scope[STORED_SCOPE_SIZE];
	uint16_t	label;			/* length of the label, and the template */
	uint16_t	answer_length;
	char		bytes[];		/* the label, then the answer */
} Entry;

/* Of an entry. Its label's length is below 1 << TEMPLATE_SHIFT then. */
#define MAX_SIZE (IOTDATA_CACHE_PAGE_SIZE / 4)

void
iotdata_cache_page_init(IotDataCachePage *page)
{
	memset(page, 0, sizeof(*page));
	page->random = 2463534242u;
	page->low = IOTDATA_CACHE_PAGE_SIZE;
}

void
iotdata_cache_page_reset(IotDataCachePage *page)
{
	page->nslots = 0;
	page->low = IOTDATA_CACHE_PAGE_SIZE;
}

static Entry *
entry_of(const IotDataCachePage *page, const Slot *slot)
{
	return (Entry *) ((char *) page + slot->offset);
}

static int64_t
observed_at(const Entry *entry)
{
	int64_t		time;

	memcpy(&time, entry->observed_at, sizeof(time));
	return time;
}

static size_t
label_length(const Entry *entry)
{
	return entry->label & ((1 << TEMPLATE_SHIFT) - 1);
}

static size_t
answer_length(const Entry *entry)
{
	return entry->answer_length & ~NOT_FOUND;
}

/* Bytes of an entry, which keep the next one aligned. */
static size_t
size_for(size_t label, size_t answer)
{
	return (sizeof(Entry) + label + answer + 1) & ~(size_t) 1;
}

static size_t
size_of(const Entry *entry)
{
	return size_for(label_length(entry), answer_length(entry));
}

static size_t
room(const IotDataCachePage *page)
{
	return page->low - sizeof(*page) - page->nslots * sizeof(Slot);
}

static uint8_t
tag_of(const IotDataCacheKey *key)
{
	return (uint8_t) (key->hash >> 56);
}

static uint16_t
label_of(const IotDataCacheKey *key)
{
	return (uint16_t) (key->template << TEMPLATE_SHIFT | key->label_length);
}

static bool
has_key(const Entry *entry, const IotDataCacheKey *key)
{
	return entry->label == label_of(key) &&
		memcmp(entry->bytes, key->label, key->label_length) == 0 &&
		memcmp(entry->scope, key->scope, sizeof(entry->scope)) == 0;
}

static Slot *
find_slot(IotDataCachePage *page, const IotDataCacheKey *key)
{
	uint8_t		tag = tag_of(key);

	if (key->label_length > MAX_SIZE - sizeof(Entry))
		return NULL;			/* too long to be stored */
	for (Slot *slot = page->slots; slot < page->slots + page->nslots; slot++)
		if (slot->tag == tag && has_key(entry_of(page, slot), key))
			return slot;
	return NULL;
}

bool
iotdata_cache_page_find(IotDataCachePage *page, const IotDataCacheKey *key,
						IotDataCachedAnswer *answer)
{
	Slot	   *slot = find_slot(page, key);
	const Entry *entry;
	uint8_t		mark;

	if (slot == NULL)
		return false;
	/* of several that find it at once one may be lost */
	mark = __atomic_load_n(&slot->mark, __ATOMIC_RELAXED);
	if (mark < MAX_MARK)
		__atomic_store_n(&slot->mark, mark + 1, __ATOMIC_RELAXED);
	entry = entry_of(page, slot);
	answer->observed_at = observed_at(entry);
	answer->not_found = (entry->answer_length & NOT_FOUND) != 0;
	answer->bytes = entry->bytes + label_length(entry);
	answer->length = answer_length(entry);
	return true;
}

/* Take an entry out; the last slot comes in its slot's place. */
static void
drop(IotDataCachePage *page, Slot *slot)
{
	uint16_t	offset = slot->offset;
	uint16_t	size = (uint16_t) size_of(entry_of(page, slot));
	char	   *low = (char *) page + page->low;

	memmove(low + size, low, offset - page->low);
	page->low += size;
	*slot = page->slots[--page->nslots];
	for (Slot *other = page->slots; other < page->slots + page->nslots; other++)
		if (other->offset < offset)
			other->offset += size;
}

/* Is it of the path, with one of the templates? */
static bool
has_path(const Entry *entry, const IotDataCacheKey *path, uint32_t templates)
{
	unsigned int template = entry->label >> TEMPLATE_SHIFT;
	const char *wanted = template == 0 ? path->request : path->label;
	size_t		length = template == 0 ? path->length : path->label_length;
	size_t		there = label_length(entry);

	return (templates >> template & 1) != 0 && there >= length &&
		memcmp(entry->bytes, wanted, length) == 0 &&
		(there == length || (template == 0 && entry->bytes[length] == '?')) &&
		memcmp(entry->scope, path->scope, sizeof(entry->scope)) == 0;
}

void
iotdata_cache_page_drop(IotDataCachePage *page, const IotDataCacheKey *path,
						uint32_t templates)
{
	/* backward: what comes into a slot's place has been looked at */
	for (int i = page->nslots - 1; i >= 0; i--)
	{
		if (has_path(entry_of(page, &page->slots[i]), path, templates))
			drop(page, &page->slots[i]);
	}
}

static uint32_t
random_number(IotDataCachePage *page)
{
	page->random ^= page->random << 13;
	page->random ^= page->random >> 17;
	page->random ^= page->random << 5;
	return page->random;
}

/* The entry that goes next. There is one. */
static Slot *
choose(IotDataCachePage *page)
{
	uint32_t	hand = random_number(page) % page->nslots;

	while (page->slots[hand].mark > 0)
	{
		page->slots[hand].mark--;
		hand = (hand + 1) % page->nslots;
	}
	return &page->slots[hand];
}

static int
drop_useless(IotDataCachePage *page, int64_t useful, int64_t now)
{
	int			dropped = 0;

	/* backward: what comes into a slot's place has been looked at */
	for (int i = page->nslots - 1; i >= 0; i--)
	{
		int64_t		time = observed_at(entry_of(page, &page->slots[i]));

		if (time < useful || time > now)
		{
			drop(page, &page->slots[i]);
			dropped++;
		}
	}
	return dropped;
}

/* Returns how many entries were dropped. */
static int
make_room(IotDataCachePage *page, size_t size, int64_t useful, int64_t now)
{
	int			dropped = 0;

	if (room(page) < size)
		dropped = drop_useless(page, useful, now);
	while (room(page) < size)
	{
		drop(page, choose(page));
		dropped++;
	}
	return dropped;
}

int
iotdata_cache_page_store(IotDataCachePage *page, const IotDataCacheKey *key,
						 const IotDataCachedAnswer *answer, int64_t useful,
						 int64_t now)
{
	Slot	   *slot = find_slot(page, key);
	uint8_t		mark = 0;
	size_t		size;
	int			dropped;
	Entry	   *entry;

	if (slot != NULL)
	{
		mark = slot->mark;
		drop(page, slot);
	}
	/* each by itself: the sum could be anything */
	if (key->label_length > MAX_SIZE || answer->length > MAX_SIZE)
		return 0;
	size = size_for(key->label_length, answer->length);
	if (size > MAX_SIZE)
		return 0;
	dropped = make_room(page, size + sizeof(Slot), useful, now);
	page->low -= (uint16_t) size;
	slot = &page->slots[page->nslots++];
	*slot = (Slot) {page->low, tag_of(key), mark};
	entry = entry_of(page, slot);
	memcpy(entry->observed_at, &answer->observed_at, sizeof(entry->observed_at));
	memcpy(entry->scope, key->scope, sizeof(entry->scope));
	entry->label = label_of(key);
	entry->answer_length = (uint16_t) (answer->length | (answer->not_found ? NOT_FOUND : 0));
	memcpy(entry->bytes, key->label, key->label_length);
	if (answer->length > 0)
		memcpy(entry->bytes + key->label_length, answer->bytes, answer->length);
	return dropped;
}

void
iotdata_cache_page_describe(const IotDataCachePage *page, IotDataCacheUse *use)
{
	use->entries += page->nslots;
	use->bytes += IOTDATA_CACHE_PAGE_SIZE - page->low + page->nslots * sizeof(Slot);
	for (const Slot *slot = page->slots; slot < page->slots + page->nslots; slot++)
	{
		int64_t		time = observed_at(entry_of(page, slot));

		if (time < use->oldest)
			use->oldest = time;
	}
}
