/*
 * retry.h
 *		Whether, when and how often a request is sent again.
 *
 * As AWS's clients decide it (their "standard" mode, as of 2026), but for
 * actions: what reaches a device is sent again only when it is certain that it
 * did not happen. AWS's clients send a message again after a 504, and so
 * deliver it twice.
 */
#ifndef IOTDATA_AWS_RETRY_H
#define IOTDATA_AWS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum IotDataRetry
{
	IOTDATA_RETRY_NONE,			/* it would be no better, or must not be */
	IOTDATA_RETRY_TRANSIENT,
	IOTDATA_RETRY_THROTTLED
} IotDataRetry;

/* How an attempt ended, as much of it as decides. */
typedef struct IotDataAttempt
{
	int			http_status;	/* 0: there was no whole answer */
	bool		sent;			/* some of the request may have arrived */
	bool		broken;			/* no answer: network or time-out */
	bool		is_action;		/* the operation does something */
} IotDataAttempt;

extern IotDataRetry iotdata_retry_classify(const IotDataAttempt *attempt);

/*
 * Microseconds to wait before the retry that has "retries" before it (from 0).
 * "random" is from 0 to 1. "retry_after" is what x-amz-retry-after said, in
 * milliseconds, or -1: it can make the delay longer, by 5 seconds at the most.
 */
extern int64_t iotdata_retry_delay(IotDataRetry retry, int retries,
								   double random, int64_t retry_after);

/*
 * The quota of retries: when much fails, retries would only be more load. All
 * zero, it is full.
 */
typedef struct IotDataRetryQuota
{
	int			spent;			/* tokens */
} IotDataRetryQuota;

/*
 * Pay for a retry. Returns false when there is not enough left for it. There
 * is always enough for one retry of each of "in_flight" calls, as many as may
 * be made at once: one burst of failures is no reason to give up.
 */
extern bool iotdata_retry_quota_take(IotDataRetryQuota *quota,
									 IotDataRetry retry, int in_flight);

/*
 * A call has succeeded; "retry" is what its last attempt was, NONE when it was
 * the first.
 */
extern void iotdata_retry_quota_give(IotDataRetryQuota *quota,
									 IotDataRetry retry);

#endif							/* IOTDATA_AWS_RETRY_H */
