/*
 * table.c
 *	  Entries found by a string key, and listed in the order they came.
 *
 * Entries hang in hash buckets and, by rising sequence, in an array.  A
 * removed entry leaves a hole there, which keeps its sequence; when more than half are holes the
 * array is packed.  Sequences survive packing, so a page token made from one
 * stays good whatever is added or removed in between.
 */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static uint32_t
hash_key(const char *key)
{
	uint32_t	hash = 2166136261u;

	for (; *key != '\0'; key++)
		hash = (hash ^ (uint8_t) *key) * 16777619u;
	return hash ^ (hash >> 15);
}

TableEntry *
table_find(const Table *table, const char *key)
{
	uint32_t	hash = hash_key(key);
	TableEntry *entry;

	if (table->bucket_count == 0)
		return NULL;
	entry = table->buckets[hash & (table->bucket_count - 1)];
	while (entry != NULL &&
		   (entry->hash != hash || strcmp(entry->key, key) != 0))
		entry = entry->next;
	return entry;
}

static void
grow_buckets(Table *table)
{
	size_t		count = table->bucket_count > 0 ? table->bucket_count * 2 : 16;
	TableEntry **buckets = memory_alloc(count * sizeof(TableEntry *));

	for (size_t i = 0; i < table->order_length; i++)
	{
		TableEntry *entry = table->order[i].entry;

		if (entry == NULL)
			continue;
		entry->next = buckets[entry->hash & (count - 1)];
		buckets[entry->hash & (count - 1)] = entry;
	}
	free(table->buckets);
	table->buckets = buckets;
	table->bucket_count = count;
}

static void
pack_order(Table *table)
{
	size_t		length = 0;

	for (size_t i = 0; i < table->order_length; i++)
	{
		TableEntry *entry = table->order[i].entry;

		if (entry == NULL)
			continue;
		entry->place = length;
		table->order[length++] = table->order[i];
	}
	table->order_length = length;
}

void
table_add(Table *table, TableEntry *entry)
{
	TableEntry **bucket;

	if (table->count >= table->bucket_count)
		grow_buckets(table);
	if (table->order_length == table->order_capacity)
	{
		table->order_capacity = table->order_capacity > 0 ? table->order_capacity * 2 : 16;
		table->order = memory_resize(table->order,
									 table->order_capacity * sizeof(TablePlace));
	}
	entry->hash = hash_key(entry->key);
	entry->sequence = ++table->last_sequence;
	entry->place = table->order_length;
	table->order[entry->place].sequence = entry->sequence;
	table->order[entry->place].entry = entry;
	table->order_length++;
	bucket = &table->buckets[entry->hash & (table->bucket_count - 1)];
	entry->next = *bucket;
	*bucket = entry;
	table->count++;
}

void
table_remove(Table *table, TableEntry *entry)
{
	TableEntry **link = &table->buckets[entry->hash & (table->bucket_count - 1)];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	table->order[entry->place].entry = NULL;
	table->count--;
	if (table->order_length > 32 && table->count < table->order_length / 2)
		pack_order(table);
}

TableEntry *
table_after(const Table *table, uint64_t sequence)
{
	size_t		low = 0,
				high = table->order_length;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (table->order[middle].sequence <= sequence)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < table->order_length && table->order[low].entry == NULL)
		low++;
	return low < table->order_length ? table->order[low].entry : NULL;
}

void
table_free(Table *table)
{
	free(table->buckets);
	free(table->order);
	memset(table, 0, sizeof(*table));
}
