/*
 * progress.h
 *		How far the lookups have come that are under way, for other sessions to
 *		see.
 *
 * All functions but the first one and the last two take NULL for an entry: then
 * nobody can see it.
 */
#ifndef IOTDATA_SHARED_PROGRESS_H
#define IOTDATA_SHARED_PROGRESS_H

#include "postgres.h"

#include "aws/token_bucket.h"

#define IOTDATA_PROGRESS_TARGET_SIZE 264
#define IOTDATA_PROGRESS_OPERATION_SIZE 40

typedef struct IotDataProgressCounts
{
	int64		rows_read;		/* of what is joined with the operation */
	int64		asked;			/* questions: rows that ask for something */
	int64		answered;		/* of these, from wherever, or in vain */
	int64		cache_hits;
	int64		duplicates;
} IotDataProgressCounts;

/* What others see of an entry. */
typedef struct IotDataProgressRow
{
	int			pid;			/* 0: the entry is not in use */
	Oid			database;
	Oid			user;			/* the session's */
	char		target[IOTDATA_PROGRESS_TARGET_SIZE];	/* "": not known yet */
	char		operation[IOTDATA_PROGRESS_OPERATION_SIZE];
	IotDataProgressCounts counts;
	int			calls_in_flight;
	int64		waiting_since;	/* for the rate, microseconds of
								 * CLOCK_MONOTONIC; 0: it does not wait */

	/* of the target, for iotdata_rate_current */
	uint64		quota;
	IotDataRateKind kind;
	int			rate;			/* 0: no limit, or of several targets */
} IotDataProgressRow;

/* An entry of this backend's. */
typedef struct IotDataProgress IotDataProgress;

/*
 * An entry for lookups by an operation, whose requests are of "kind"; NULL when
 * the backend has no room for more. Raises out of memory (53200) when a backend
 * without shared memory cannot have its own.
 */
extern IotDataProgress *iotdata_progress_begin(const char *operation, IotDataRateKind kind);

/*
 * Calls go to this target; "rate" as for iotdata_rate_take, 0 for no limit.
 */
extern void iotdata_progress_add_target(IotDataProgress *progress, const char *target,
										uint64 quota, int rate);

extern void iotdata_progress_set_counts(IotDataProgress *progress,
										const IotDataProgressCounts *counts);
extern void iotdata_progress_set_calls(IotDataProgress *progress, int in_flight,
									   int64 waiting_since);

/* The lookups have ended. */
extern void iotdata_progress_end(IotDataProgress *progress);

/*
 * Entry "index" (from 0), copied out, in use or not. Returns false after the
 * last one.
 */
extern bool iotdata_progress_get(int index, IotDataProgressRow *row);

/* For areas.c: the area's size, and its first state. */
extern Size iotdata_progress_area_size(void);
extern void iotdata_progress_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_PROGRESS_H */
