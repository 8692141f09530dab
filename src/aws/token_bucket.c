/*
 * token_bucket.c
 *		A token bucket that finds its pace.
 *
 * The bucket holds a quarter of a second's worth, enough to make up for
 * whoever comes late for a token, and too little to fill a service's own
 * bucket, which holds a second's worth. It is refilled at pace * rate.
 *
 * A 429 says that others use the quota too, or that it is smaller than we were
 * told. Then the pace drops by a tenth, and what the bucket holds is thrown
 * away: it would go out at once. All that is in flight at that moment is
 * likely to be answered alike, so what comes within FLIGHT of a slowing down
 * belongs to it. After that the pace comes back in steps too small to see,
 * RECOVERY of the nominal rate a second.
 *
 * It never drops under a fiftieth of the nominal rate, so that it comes back
 * within 20 seconds whatever happened, nor under one request a second, the
 * smallest quota that the service has.
 */
#include "aws/token_bucket.h"

#define SECOND 1000000.0
#define HELD 0.25				/* seconds' worth of tokens, when full */
#define SLOWER 0.9
#define RECOVERY 0.05			/* of the nominal rate, a second */
#define SLOWEST (1 / 50.0)
#define FLIGHT 200000

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
 * Bring tokens and pace to "now": a time at the slow pace, a time in which it
 * comes back, and one at the nominal rate. While it comes back it grows
 * evenly, so its mean is that of its first and its last value.
 */
static void
refill(IotDataTokenBucket *bucket, int rate, int64_t now)
{
	double		microseconds = elapsed(bucket->refilled_at, now);
	double		seconds = microseconds / SECOND;
	double		slow;
	double		recovering;

	if (microseconds < 0)
	{
		bucket->refilled_at = now;
		bucket->slowed_at = now - FLIGHT;
	}
	if (microseconds <= 0)
		return;
	slow = elapsed(bucket->refilled_at, bucket->slowed_at + FLIGHT) / SECOND;
	slow = slow > 0 ? least(slow, seconds) : 0;
	recovering = least(seconds - slow, (1 - bucket->pace) / RECOVERY);

	bucket->tokens += rate * (slow * bucket->pace +
							  recovering * (bucket->pace + RECOVERY * recovering / 2) +
							  (seconds - slow - recovering));
	bucket->tokens = least(bucket->tokens, capacity(rate));
	bucket->pace = least(bucket->pace + RECOVERY * recovering, 1);
	bucket->refilled_at = now;
}

void
iotdata_token_bucket_init(IotDataTokenBucket *bucket, int rate, bool full,
						  int64_t now)
{
	bucket->tokens = full ? capacity(rate) : 0;
	bucket->pace = 1;
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
	*wait = 1 + (int64_t) ((1 - bucket->tokens) / (rate * bucket->pace) * SECOND);
	return false;
}

void
iotdata_token_bucket_give_back(IotDataTokenBucket *bucket, int rate)
{
	bucket->tokens = least(bucket->tokens + 1, capacity(rate));
}

void
iotdata_token_bucket_throttled(IotDataTokenBucket *bucket, int rate,
							   int64_t now)
{
	double		flown = elapsed(bucket->slowed_at, now);

	if (flown >= 0 && flown < FLIGHT)
		return;
	refill(bucket, rate, now);
	bucket->pace *= SLOWER;
	if (bucket->pace < slowest_pace(rate))
		bucket->pace = slowest_pace(rate);
	bucket->tokens = 0;
	bucket->slowed_at = now;
}
