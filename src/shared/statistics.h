/*
 * statistics.h
 *		What calls were made, by target, account and operation, and how they went.
 */
#ifndef IOTDATA_SHARED_STATISTICS_H
#define IOTDATA_SHARED_STATISTICS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* How a call ended. */
typedef enum IotDataOutcome
{
	IOTDATA_OUTCOME_ANSWERED,	/* well; a read's 404 is a good answer */
	IOTDATA_OUTCOME_CLIENT_ERROR,	/* 4xx, and what else is not said below */
	IOTDATA_OUTCOME_THROTTLED,	/* 429 */
	IOTDATA_OUTCOME_SERVER_ERROR,	/* 5xx */
	IOTDATA_OUTCOME_UNREACHABLE,	/* no connection */
	IOTDATA_OUTCOME_LOST,		/* connection lost, or no answer in time */
	IOTDATA_OUTCOME_MALFORMED,	/* an answer that was not taken */
	IOTDATA_OUTCOME_CANCELLED	/* nobody waited for the end */
} IotDataOutcome;

#define IOTDATA_NOUTCOMES (IOTDATA_OUTCOME_CANCELLED + 1)

/*
 * Buckets of the latency histogram: bucket i counts calls that took less than
 * 2^i milliseconds (and not less than 2^(i-1)); the last one all longer ones.
 */
#define IOTDATA_LATENCY_BUCKETS 16

/* One call that has ended. */
typedef struct IotDataCallRecord
{
	IotDataOutcome outcome;
	int			attempts;
	int			throttled;		/* attempts that a 429 answered */
	uint64		bytes_sent;
	uint64		bytes_received;
	int			connections_opened;
	int64		microseconds;	/* from its first attempt to its end */
} IotDataCallRecord;

/* The sums for a target, an account and an operation, since the last reset. */
typedef struct IotDataCallSums
{
	uint64		calls;
	uint64		attempts;
	uint64		retries;		/* attempts after a call's first */
	uint64		throttled;		/* attempts that a 429 answered */
	uint64		outcomes[IOTDATA_NOUTCOMES];
	uint64		cache_hits;		/* cached answers that made a call needless */
	uint64		bytes_sent;
	uint64		bytes_received;
	uint64		connections_opened;
	uint64		total_microseconds;
	uint64		max_microseconds;
	uint64		latencies[IOTDATA_LATENCY_BUCKETS];
	TimestampTz since;			/* the first of them */
} IotDataCallSums;

/*
 * Count a call. "target" is the endpoint's authority, "account" whose calls
 * they are, "operation" the API's name; all may be cut. When there is no room
 * for more of them, it is counted under the target, the account and the
 * operation "(others)".
 */
extern void iotdata_statistics_note_call(const char *target,
										 const char *account,
										 const char *operation,
										 const IotDataCallRecord *record);

/* Count "number" cached answers that were used. */
extern void iotdata_statistics_note_hits(const char *target,
										 const char *account,
										 const char *operation,
										 uint64 number);

/*
 * Entry "index" (from 0), copied out: "target", "account" and "operation" get
 * strings in the current memory context. Returns false after the last one.
 */
extern bool iotdata_statistics_get(int index, const char **target,
								   const char **account,
								   const char **operation,
								   IotDataCallSums *sums);

/* Drop all entries. */
extern void iotdata_statistics_reset(void);

/* For areas.c: the area's size, and its first state. */
extern Size iotdata_statistics_area_size(void);
extern void iotdata_statistics_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_STATISTICS_H */
