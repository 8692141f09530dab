/*
 * table.h
 *	  Entries found by a string key, and listed in the order they came.
 *
 * A TableEntry is the first member of what is stored; the table never frees
 * an entry and never copies its key.
 */
#ifndef EMULATOR_TABLE_H
#define EMULATOR_TABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct TableEntry
{
	const char *key;
	uint64_t	sequence;		/* grows with each entry, never used twice */
	uint32_t	hash;
	size_t		place;			/* index in the table's order */
	struct TableEntry *next;	/* in the same bucket */
} TableEntry;

typedef struct TablePlace
{
	uint64_t	sequence;
	TableEntry *entry;			/* NULL: it was removed */
} TablePlace;

typedef struct Table
{
	TableEntry **buckets;
	size_t		bucket_count;	/* 0 or a power of two */
	TablePlace *order;			/* by sequence */
	size_t		order_length;
	size_t		order_capacity;
	size_t		count;
	uint64_t	last_sequence;
} Table;

extern TableEntry *table_find(const Table *table, const char *key);

/* entry->key must be set, and must not be in the table yet. */
extern void table_add(Table *table, TableEntry *entry);
extern void table_remove(Table *table, TableEntry *entry);

/*
 * The first entry whose sequence is greater than the given one (0 for the
 * first of all), or NULL.  The entry just visited may be removed.
 */
extern TableEntry *table_after(const Table *table, uint64_t sequence);

/* Frees what the table itself holds; the entries are the caller's. */
extern void table_free(Table *table);

#endif							/* EMULATOR_TABLE_H */
