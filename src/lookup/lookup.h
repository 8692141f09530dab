/*
 * lookup.h
 *		Many reads of one operation: as many at once as the limits allow, equal
 *		ones made once, and each with its own rows or its own failure.
 *
 * Each lookup is asked for by whoever needs it, and released. Rows that are to
 * be handed on in their order wait in a queue meanwhile: lookup/queue.h.
 */
#ifndef IOTDATA_LOOKUP_H
#define IOTDATA_LOOKUP_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "error/failure.h"
#include "lookup/known.h"
#include "request/argument.h"
#include "request/operation.h"

/* What was done so far. */
typedef struct IotDataLookupCounts
{
	int64		rows_read;		/* as iotdata_lookups_note_rows was told */
	int64		asked;
	int64		answered;		/* of these: lookups that have ended */
	int64		calls;
	int64		retries;
	int64		cache_hits;		/* cached answers used */
	int64		duplicates;		/* served by an equal lookup */
	int64		rate_wait;		/* microseconds */
} IotDataLookupCounts;

/*
 * Lookups by "operation", a read, in the current memory context. "types" are
 * those of its arguments, "columns" those of its rows (both are copied), and
 * "needed" says of each column whether rows are to have it (NULL: all). What
 * nobody refers to any longer is remembered within "memory" bytes, and beyond
 * them as long as the response cache has its answer. Raises
 * 53000 without memory or descriptors, 55000 when rows of these columns cannot
 * be made.
 */
extern IotDataLookups *iotdata_lookups_create(const IotDataOperation *operation,
											  const IotDataArgumentTypes *types,
											  TupleDesc columns, const bool *needed,
											  size_t memory);

/* Stop what runs, and free all. */
extern void iotdata_lookups_delete(IotDataLookups *lookups);

/* May another one be asked, without more than max_concurrency under way? */
extern bool iotdata_lookups_have_room(const IotDataLookups *lookups);

/* Is anything under way, so that reading on meanwhile costs no time? */
extern bool iotdata_lookups_are_under_way(const IotDataLookups *lookups);

/*
 * Raise what is wrong with the target of a server (NULL: of the one that the
 * setting names): there is none, it may not be used, or has no credentials.
 */
extern void iotdata_lookups_check_target(IotDataLookups *lookups, const char *server);

/*
 * Ask. "values" are the operation's arguments. An argument that breaks its
 * rule is the lookup's failure, and so is a target that cannot be used. Returns
 * NULL when a required argument is NULL: then there is nothing to ask, and no
 * row. Raises what is not the lookup's
 * alone: out of memory, credentials that can no longer be had, a cancel.
 */
extern IotDataLookup *iotdata_lookups_ask(IotDataLookups *lookups,
										  const NullableDatum *values);

/*
 * Wait until a call has ended, of whichever lookup; something must be under
 * way. Then there may be room for another one, even while the lookup that is
 * waited for takes its time.
 */
extern void iotdata_lookups_wait(IotDataLookups *lookups);

/*
 * A row as values of all columns, those that are not needed NULL. They point into
 * the row.
 */
extern void iotdata_lookup_row(const IotDataLookup *lookup, int number,
							   Datum *values, bool *nulls);

/*
 * Raise the lookup's failure, with its CONTEXT; return when it has none, or when
 * it is the lookup's own and the operation returns results.
 */
extern void iotdata_lookup_raise(const IotDataLookup *lookup);

/*
 * So many rows have been read so far by who asks, whether or not they ask for
 * anything: for those who look on.
 */
extern void iotdata_lookups_note_rows(IotDataLookups *lookups, int64 rows);

extern IotDataLookupCounts iotdata_lookups_counts(const IotDataLookups *lookups);

#endif							/* IOTDATA_LOOKUP_H */
