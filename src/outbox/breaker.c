/*
 * breaker.c
 *		A circuit breaker: a target that takes nothing is not asked for every
 *		message anew.
 */
#include "outbox/breaker.h"

/* failures without a success, each of which might be the device's */
#define MAX_FAILURES 16

/* pauses between probes, in microseconds */
#define FIRST_PAUSE INT64_C(250000)
#define LONGEST_PAUSE INT64_C(10000000)

bool
iotdata_breaker_is_open(const IotDataBreaker *breaker)
{
	return breaker->openings > 0;
}

bool
iotdata_breaker_allows(const IotDataBreaker *breaker, int in_flight, int64_t now)
{
	return breaker->openings == 0 || (in_flight == 0 && now >= breaker->probe_at);
}

bool
iotdata_breaker_succeeded(IotDataBreaker *breaker)
{
	bool		closes = breaker->openings > 0;

	breaker->failures = 0;
	breaker->openings = 0;
	return closes;
}

bool
iotdata_breaker_failed(IotDataBreaker *breaker, bool target, int64_t now)
{
	int64_t		pause = FIRST_PAUSE;

	breaker->failures++;
	if (!target && breaker->failures < MAX_FAILURES)
		return false;
	/* those that were in flight with the one that opened it tell no news */
	if (breaker->openings > 0 && now < breaker->probe_at)
		return false;
	for (int i = 0; i < breaker->openings && pause < LONGEST_PAUSE; i++)
		pause *= 2;
	breaker->probe_at = now + (pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE);
	breaker->openings++;
	return breaker->openings == 1;
}
