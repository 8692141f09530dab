/*
 * known.c
 *		Lookups that are known: a table of them, and what is forgotten when they
 *		take too much memory.
 *
 * A lookup is in the table as long as it is known; one that has ended and that
 * nobody refers to is in one of two lists of idle ones as well, the oldest first,
 * and is forgotten from there when all of that list hold more memory than they
 * may. That is little for those that a cached answer served, which is most likely
 * there to be taken again: to remember thousands of them takes longer than that.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "lookup/known.h"
#include "utils/memutils.h"

typedef struct TableEntry
{
	IotDataLookup *lookup;
	uint32		hash;			/* the lookup's: it need not be looked at */
	char		status;			/* simplehash's */
} TableEntry;

/* A lookup by its key: the hash is only a shortcut. */
#define SH_PREFIX table
#define SH_ELEMENT_TYPE TableEntry
#define SH_KEY_TYPE IotDataLookup *
#define SH_KEY lookup
#define SH_HASH_KEY(tb, key) ((key)->hash)
#define SH_EQUAL(tb, a, b) \
	((a)->key_length == (b)->key_length && (a)->max_age == (b)->max_age && \
	 (a)->target == (b)->target && \
	 memcmp((a)->key, (b)->key, (a)->key_length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* bytes that lookups which a cached answer served may hold when they are idle */
#define MAX_CACHED_MEMORY (256 * 1024)

void
iotdata_known_init(IotDataKnownLookups *known, IotDataLookups *lookups, size_t memory)
{
	known->context = CurrentMemoryContext;
	known->lookups = lookups;
	known->table = table_create(known->context, 128, NULL);
	dlist_init(&known->idle.list);
	known->idle.max_memory = memory;
	dlist_init(&known->cached.list);
	known->cached.max_memory = Min(memory, MAX_CACHED_MEMORY);
}

static void
forget(IotDataLookup *lookup)
{
	for (int i = 0; i < lookup->nrows; i++)
		heap_freetuple(lookup->rows[i]);
	if (lookup->rows != &lookup->row && lookup->rows != NULL)
		pfree(lookup->rows);
	if (lookup->failure != NULL)
		pfree(unconstify(IotDataFailure *, lookup->failure));
	pfree(lookup);
}

/* The list that it is in when nobody refers to it. */
static IotDataIdleLookups *
idle_of(IotDataLookup *lookup)
{
	return lookup->is_cached ? &lookup->known->cached : &lookup->known->idle;
}

void
iotdata_lookup_release(IotDataLookup *lookup)
{
	IotDataKnownLookups *known = lookup->known;
	IotDataIdleLookups *idle = idle_of(lookup);

	if (--lookup->references > 0 || !lookup->ended)
		return;
	if (lookup->key_length == 0)	/* its arguments were wrong: not in the
									 * table */
	{
		forget(lookup);
		return;
	}
	dlist_push_tail(&idle->list, &lookup->idle);
	idle->memory += lookup->memory;
	while (idle->memory > idle->max_memory)
	{
		IotDataLookup *oldest = dlist_container(IotDataLookup, idle,
												dlist_pop_head_node(&idle->list));

		idle->memory -= oldest->memory;
		known->has_forgotten |= !oldest->is_cached;
		table_delete(known->table, oldest);
		forget(oldest);
	}
}

static IotDataLookup *
refer_to(IotDataLookup *lookup)
{
	if (lookup->references++ == 0 && lookup->ended)
	{
		dlist_delete(&lookup->idle);
		idle_of(lookup)->memory -= lookup->memory;
	}
	return lookup;
}

/* For a row, which most have, there is room in the lookup itself. */
static void
make_room(IotDataLookup *lookup, bool is_list)
{
	if (!is_list && lookup->room == 0)
	{
		lookup->rows = &lookup->row;
		lookup->room = 1;
		return;
	}
	lookup->room = Max(lookup->room * 2, 8);
	lookup->rows = lookup->rows == NULL ?
		MemoryContextAlloc(lookup->known->context, lookup->room * sizeof(HeapTuple)) :
		repalloc_huge(lookup->rows, lookup->room * sizeof(HeapTuple));
}

void
iotdata_known_add_row(IotDataLookup *lookup, HeapTuple row, bool is_list)
{
	if (lookup->nrows == lookup->room)
		make_room(lookup, is_list);
	lookup->rows[lookup->nrows++] = row;
	lookup->memory += GetMemoryChunkSpace(row);
	if (lookup->rows != &lookup->row)
		lookup->memory += sizeof(HeapTuple);
}

/* ---- the table ---- */

IotDataLookup *
iotdata_known_find(IotDataKnownLookups *known, IotDataLookup *wanted)
{
	const TableEntry *entry = table_lookup(known->table, wanted);

	return entry != NULL ? refer_to(entry->lookup) : NULL;
}

IotDataLookup *
iotdata_known_add(IotDataKnownLookups *known, const IotDataLookup *wanted)
{
	IotDataLookup *lookup = MemoryContextAlloc(known->context,
											   sizeof(*lookup) + wanted->key_length);
	TableEntry *entry;
	bool		found;

	memset(lookup, 0, sizeof(*lookup));
	lookup->lookups = known->lookups;
	lookup->known = known;
	lookup->references = 1;
	lookup->target = wanted->target;
	lookup->hash = wanted->hash;
	lookup->key_length = wanted->key_length;
	lookup->max_age = wanted->max_age;
	lookup->key = (char *) (lookup + 1);
	memcpy(lookup->key, wanted->key, wanted->key_length);
	/* with its entry of the table, which is half full */
	lookup->memory = GetMemoryChunkSpace(lookup) + 2 * sizeof(TableEntry);
	entry = table_insert(known->table, lookup, &found);
	Assert(!found);
	entry->lookup = lookup;
	return lookup;
}

IotDataLookup *
iotdata_known_create_ended(IotDataKnownLookups *known)
{
	IotDataLookup *lookup = MemoryContextAllocZero(known->context, sizeof(*lookup));

	lookup->lookups = known->lookups;
	lookup->known = known;
	lookup->references = 1;
	lookup->ended = true;
	return lookup;
}
