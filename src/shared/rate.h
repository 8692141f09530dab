/*
 * rate.h
 *		Requests a second, kept under the service's quotas by all sessions
 *		together.
 *
 * A target has a token bucket for each kind of request. Besides, the service
 * answers one read a second for one client ID; the second begins anew when an
 * answer comes, so that two requests never arrive closer than that, however
 * long either was on its way. All times are microseconds of CLOCK_MONOTONIC,
 * which all processes of a machine share, and arguments.
 */
#ifndef IOTDATA_SHARED_RATE_H
#define IOTDATA_SHARED_RATE_H

#include "postgres.h"

#include "aws/token_bucket.h"

/* What a request is, to the quotas. */
typedef struct IotDataRateSubject
{
	uint64		target;			/* hash of what has a quota */
	uint64		client;			/* hash of what the request is about */
	IotDataRateKind kind;
} IotDataRateSubject;

typedef enum IotDataRateVerdict
{
	IOTDATA_RATE_GRANTED,		/* send it now */
	IOTDATA_RATE_TARGET_BUSY,	/* no token: nobody's turn */
	IOTDATA_RATE_CLIENT_BUSY	/* not this client's turn; others may have it */
} IotDataRateVerdict;

/*
 * May this request be sent now? When it may not, nothing is taken, and "wait"
 * gets the microseconds (at least 1) after which it is worth asking again.
 * "rate" is the setting, tokens a second and greater than 0; the bucket may be
 * slower at the time.
 */
extern IotDataRateVerdict iotdata_rate_take(const IotDataRateSubject *subject,
											int rate, int64 now, int64 *wait);

/*
 * A request that had been granted never reached the service: what it took is
 * given back.
 */
extern void iotdata_rate_unused(const IotDataRateSubject *subject, int rate,
								int64 now);

/*
 * A request that had been granted has ended otherwise; "throttled": by a 429,
 * after which the bucket slows down for a while. Returns whether it can slow
 * down further.
 */
extern bool iotdata_rate_ended(const IotDataRateSubject *subject, int rate,
							   bool throttled, int64 now);

/*
 * The tokens a second that a target has for a kind of request at present:
 * "rate", greater than 0, or fewer after a 429.
 */
extern double iotdata_rate_current(uint64 target, IotDataRateKind kind, int rate);

/* For areas.c: the area's size, and its first state. */
extern Size iotdata_rate_area_size(void);
extern void iotdata_rate_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_RATE_H */
