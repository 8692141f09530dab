/*
 * token_bucket.c
 *		A token bucket that finds its pace.
 *
 * The bucket holds a quarter of a second's worth, enough to make up for
 * whoever comes late for a token, and too little to fill a service's own
 * bucket, which holds a second's worth. It is refilled at pace * rate.
 *
 * A 429 says that others use the quota too, or that it is smaller than we were
 * told. Then the pace drops, and what the bucket holds is thrown away: it would
 * go out at once. All that is in flight at that moment is likely to be answered
 * alike, so what comes within FLIGHT of a drop belongs to it; where answers
 * take longer than that, the pace drops more than once. It drops by half of
 * itself at the full rate, and by less the slower it is: of servers that share
 * a quota, who has more than the others gives up more, so that their shares
 * become equal. After that the pace comes back as in CUBIC (RFC 9438): fast at
 * first, slowly near the pace that was too fast, and faster again beyond it. So
 * servers stay close to their shares for long, and one that is left alone is
 * soon at its full rate. The constants are those that served 1 to 20 servers
 * best in the simulation of test/unit/shared_quota_test.c.
 *
 * The pace never drops under a fiftieth of the nominal rate, so that it comes
 * back within 20 seconds whatever happened, nor under one request a second,
 * the smallest quota that the service has.
 */
#include <math.h>

#include "aws/token_bucket.h"

#define SECOND 1000000.0
#define HELD 0.25				/* seconds' worth of tokens, when full */
#define DROP 0.5				/* of the pace, when that is 1 */
#define LEAST_DROP 0.1
#define GROWTH 0.0006			/* of the nominal rate, a second cubed */
#define SLOWEST (1 / 50.0)
#define FLIGHT 50000

/* what a clock read by another process may be behind */
#define CLOCK_SLACK 1000000

/* what a sum of doubles may be short of a token */
#define EPSILON 1e-9

static double
capacity(int rate)
{
	double		held = rate * HELD;

	return held > 1 ? held : 1;
}

static double
slowest_pace(int rate)
{
	double		one = 1.0 / rate;

	return one > SLOWEST ? one : SLOWEST;
}

/* The share of the pace that a 429 takes away. */
static double
drop_at(double pace)
{
	return fmax(DROP * pace, LEAST_DROP);
}

/*
 * Microseconds from "then" to "now", not less than 0. What is earlier by more
 * than processes can differ is of another clock: -1.
 */
static double
elapsed(int64_t then, int64_t now)
{
	double		difference = (double) now - (double) then;

	if (difference < -CLOCK_SLACK)
		return -1;
	return difference < 0 ? 0 : difference;
}

static double
least(double a, double b)
{
	return a < b ? a : b;
}

/*
 * The pace is GROWTH * x^3 + pace_before, at most 1, where x are the seconds
 * since it would be back at the pace before the drop.
 */
static double
pace_at(const IotDataTokenBucket *bucket, double x)
{
	return least(GROWTH * x * x * x + bucket->pace_before, 1);
}

/* When that was, in seconds after the drop. */
static double
seconds_back(const IotDataTokenBucket *bucket)
{
	return cbrt((bucket->pace_before - bucket->pace_after) / GROWTH);
}

/* The sum of the pace from x to y, as above. */
static double
paced(const IotDataTokenBucket *bucket, double x, double y)
{
	double		full = cbrt((1 - bucket->pace_before) / GROWTH);
	double		until = least(y, full);
	double		sum = 0;

	if (x < until)
		sum = GROWTH / 4 * (until * until * until * until - x * x * x * x) +
			bucket->pace_before * (until - x);
	else
		until = x;
	return sum + (y - until);
}

/* Bring tokens to "now". */
static void
refill(IotDataTokenBucket *bucket, int rate, int64_t now)
{
	double		microseconds = elapsed(bucket->refilled_at, now);
	double		x;

	if (microseconds < 0)
	{
		bucket->refilled_at = now;
		bucket->slowed_at = now - FLIGHT;
	}
	if (microseconds <= 0)
		return;
	x = (double) (bucket->refilled_at - bucket->slowed_at) / SECOND - seconds_back(bucket);
	bucket->tokens += rate * paced(bucket, x, x + microseconds / SECOND);
	bucket->tokens = least(bucket->tokens, capacity(rate));
	bucket->refilled_at = now;
}

double
iotdata_token_bucket_pace(const IotDataTokenBucket *bucket)
{
	return pace_at(bucket, (double) (bucket->refilled_at - bucket->slowed_at) / SECOND -
				   seconds_back(bucket));
}

void
iotdata_token_bucket_init(IotDataTokenBucket *bucket, int rate, bool full,
						  int64_t now)
{
	bucket->tokens = full ? capacity(rate) : 0;
	bucket->pace_before = bucket->pace_after = 1;
	bucket->refilled_at = now;
	bucket->slowed_at = now - FLIGHT;
}

bool
iotdata_token_bucket_take(IotDataTokenBucket *bucket, int rate, int64_t now,
						  int64_t *wait)
{
	refill(bucket, rate, now);
	if (bucket->tokens >= 1 - EPSILON)
	{
		bucket->tokens -= 1;
		return true;
	}

	/* a pace that comes back meanwhile makes it a little less */
	*wait = 1 + (int64_t) ((1 - bucket->tokens) / (rate * iotdata_token_bucket_pace(bucket)) * SECOND);
	return false;
}

void
iotdata_token_bucket_give_back(IotDataTokenBucket *bucket, int rate)
{
	bucket->tokens = least(bucket->tokens + 1, capacity(rate));
}

bool
iotdata_token_bucket_throttled(IotDataTokenBucket *bucket, int rate,
							   int64_t now)
{
	double		flown = elapsed(bucket->slowed_at, now);

	if (flown < 0 || flown >= FLIGHT)
	{
		refill(bucket, rate, now);
		bucket->pace_before = iotdata_token_bucket_pace(bucket);
		bucket->pace_after = fmax(bucket->pace_before * (1 - drop_at(bucket->pace_before)), slowest_pace(rate));
		bucket->pace_before = fmax(bucket->pace_before, bucket->pace_after);
		bucket->tokens = 0;
		bucket->slowed_at = now;
	}
	return bucket->pace_after > slowest_pace(rate);
}
