/*
 * token_bucket.h
 *		A token bucket that finds its pace: requests a second, kept under a
 *		quota that is known only roughly.
 *
 * Times are microseconds of a clock that does not go back, and arguments. A
 * time that is a little earlier than one before (it was read before somebody
 * else's turn) counts as that one; one that is much earlier, or later, does no
 * harm. The nominal rate is an argument, too, tokens a second and greater than
 * 0, so that a new one counts at once.
 */
#ifndef IOTDATA_AWS_TOKEN_BUCKET_H
#define IOTDATA_AWS_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* The service's quotas. Each has a bucket of its own. */
typedef enum IotDataRateKind
{
	IOTDATA_RATE_CONNECTION,	/* reading and deleting connections, reading
								 * subscriptions */
	IOTDATA_RATE_SEND			/* messages */
} IotDataRateKind;

typedef struct IotDataTokenBucket
{
	double		tokens;
	double		pace_before;	/* that it had when it was last slowed down, */
	double		pace_after;		/* and from then on: 0 < after <= before <= 1 */
	int64_t		refilled_at;	/* tokens are those of this time */
	int64_t		slowed_at;		/* when the pace was last made slower */
} IotDataTokenBucket;

/*
 * Begin at the nominal rate, full or empty. Empty is for a target of which it
 * is not known when it was last sent to.
 */
extern void iotdata_token_bucket_init(IotDataTokenBucket *bucket, int rate,
									  bool full, int64_t now);

/*
 * Take a token. Returns false when there is none; "wait" gets the microseconds
 * (at least 1) until there is, if nobody else takes it.
 */
extern bool iotdata_token_bucket_take(IotDataTokenBucket *bucket, int rate,
									  int64_t now, int64_t *wait);

/* A token was not used after all. */
extern void iotdata_token_bucket_give_back(IotDataTokenBucket *bucket, int rate);

/*
 * A request was answered by a 429: slow down. Returns whether a slower pace is
 * possible still.
 */
extern bool iotdata_token_bucket_throttled(IotDataTokenBucket *bucket,
										   int rate, int64_t now);

/* The share of the nominal rate that it is refilled at: 0 < pace <= 1. */
extern double iotdata_token_bucket_pace(const IotDataTokenBucket *bucket);

#endif							/* IOTDATA_AWS_TOKEN_BUCKET_H */
