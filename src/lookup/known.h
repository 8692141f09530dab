/*
 * known.h
 *		Lookups that are known: a table of them, and what is forgotten when they
 *		take too much memory.
 */
#ifndef IOTDATA_LOOKUP_KNOWN_H
#define IOTDATA_LOOKUP_KNOWN_H

#include "postgres.h"

#include "access/htup.h"
#include "error/failure.h"
#include "lib/ilist.h"
#include "lookup/pages.h"

typedef struct IotDataLookups IotDataLookups;

/* One question and what is known of its answer. */
typedef struct IotDataLookup
{
	bool		ended;
	bool		is_cached;		/* a cached answer served it */
	HeapTuple  *rows;			/* nrows of them, of the needed columns */
	int			nrows;			/* 0: there was nothing */
	const IotDataFailure *failure;	/* NULL when it went well */
	bool		is_own;			/* the failure is about the subject, or its
								 * answer: others may go well */
	const char *subject;		/* with a failure, what CONTEXT tells: what
								 * was asked about, */
	const char *argument;		/* the argument that was looked at, */
	const char *value;			/* and its value; each may be NULL */

	/* From here on the business of known.c and lookup.c. */
	IotDataLookups *lookups;
	struct IotDataKnownLookups *known;
	struct IotDataLookupTarget *target; /* NULL when it has failed before */
	HeapTuple	row;			/* of what has no more */
	char	   *key;			/* the request's path and query; of a known
								 * lookup, in one piece with it */
	size_t		key_length;
	int64		max_age;		/* the request's: part of the key */
	uint32		hash;
	dlist_node	idle;			/* in the list of those that nobody refers to */
	int			references;
	int			askers;			/* that asked before it ended */
	int			room;			/* for rows */
	size_t		memory;			/* bytes that it holds */
	MemoryContext paging;		/* of a list: its request and pages, until it
								 * has ended */
	IotDataPages *pages;
} IotDataLookup;

/* Lookups that nobody refers to. */
typedef struct IotDataIdleLookups
{
	dlist_head	list;			/* the oldest first */
	size_t		memory;			/* bytes that they hold, */
	size_t		max_memory;		/* and may */
} IotDataIdleLookups;

typedef struct IotDataKnownLookups
{
	MemoryContext context;
	IotDataLookups *lookups;
	struct table_hash *table;
	IotDataIdleLookups idle;	/* that were asked for, */
	IotDataIdleLookups cached;	/* and that a cached answer served */
	bool		has_forgotten;	/* one that was asked for */
} IotDataKnownLookups;

/*
 * In the current memory context. Those that nobody refers to are known as long as
 * they hold no more than "memory" bytes.
 */
extern void iotdata_known_init(IotDataKnownLookups *known, IotDataLookups *lookups,
							   size_t memory);

/* The lookup that is equal to "wanted", with a reference; NULL: none is known. */
extern IotDataLookup *iotdata_known_find(IotDataKnownLookups *known, IotDataLookup *wanted);

/* A new lookup like "wanted", with a reference, which is known from now on. */
extern IotDataLookup *iotdata_known_add(IotDataKnownLookups *known, const IotDataLookup *wanted);

/* One that has ended as it began, with a reference, and will not be known. */
extern IotDataLookup *iotdata_known_create_ended(IotDataKnownLookups *known);

/* Give a lookup another row, which is in the context of those that are known. */
extern void iotdata_known_add_row(IotDataLookup *lookup, HeapTuple row, bool is_list);

/* The caller, who asked, needs it no longer. */
extern void iotdata_lookup_release(IotDataLookup *lookup);

#endif							/* IOTDATA_LOOKUP_KNOWN_H */
