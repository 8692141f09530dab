/*
 * retry.c
 *		Whether, when and how often a request is sent again.
 */
#include "aws/retry.h"

/* Delays, in microseconds. */
#define TRANSIENT_BASE INT64_C(50000)
#define THROTTLED_BASE INT64_C(1000000)
#define MAX_DELAY INT64_C(20000000)
#define MAX_RAISE INT64_C(5000000)	/* by x-amz-retry-after */

/* Tokens of the quota. */
#define QUOTA_FULL 500
#define TRANSIENT_COST 14
#define THROTTLED_COST 5
#define SUCCESS_GAIN 1

static bool
is_transient_status(int status)
{
	return status == 500 || status == 502 || status == 503 || status == 504;
}

IotDataRetry
iotdata_retry_classify(const IotDataAttempt *attempt)
{
	if (attempt->http_status == 429)
		return IOTDATA_RETRY_THROTTLED;
	if (attempt->is_action && attempt->sent)
		return IOTDATA_RETRY_NONE;
	if (attempt->broken || is_transient_status(attempt->http_status))
		return IOTDATA_RETRY_TRANSIENT;
	return IOTDATA_RETRY_NONE;
}

int64_t
iotdata_retry_delay(IotDataRetry retry, int retries, double random,
					int64_t retry_after)
{
	int64_t		longest = retry == IOTDATA_RETRY_THROTTLED ? THROTTLED_BASE : TRANSIENT_BASE;
	int64_t		delay;

	for (int i = 0; i < retries && longest < MAX_DELAY; i++)
		longest *= 2;
	if (longest > MAX_DELAY)
		longest = MAX_DELAY;
	delay = (int64_t) (random * (double) longest);
	if (retry_after < 0 || retry_after <= delay / 1000)
		return delay;
	if (retry_after >= (delay + MAX_RAISE) / 1000)
		return delay + MAX_RAISE;
	return retry_after * 1000;
}

static int
cost(IotDataRetry retry)
{
	switch (retry)
	{
		case IOTDATA_RETRY_TRANSIENT:
			return TRANSIENT_COST;
		case IOTDATA_RETRY_THROTTLED:
			return THROTTLED_COST;
		default:
			return 0;
	}
}

bool
iotdata_retry_quota_take(IotDataRetryQuota *quota, IotDataRetry retry,
						 int in_flight)
{
	int			full = in_flight * TRANSIENT_COST;

	if (full < QUOTA_FULL)
		full = QUOTA_FULL;
	if (quota->spent + cost(retry) > full)
		return false;
	quota->spent += cost(retry);
	return true;
}

void
iotdata_retry_quota_give(IotDataRetryQuota *quota, IotDataRetry retry)
{
	quota->spent -= retry == IOTDATA_RETRY_NONE ? SUCCESS_GAIN : cost(retry);
	if (quota->spent < 0)
		quota->spent = 0;
}
