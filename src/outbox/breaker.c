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
	return breaker->pauses > 0;
}

bool
iotdata_breaker_allows(const IotDataBreaker *breaker, int64_t now)
{
	return breaker->pauses == 0 || now >= breaker->probe_at;
}

static void
pause(IotDataBreaker *breaker, int64_t now)
{
	int64_t		length = FIRST_PAUSE;

	for (int i = 0; i < breaker->pauses && length < LONGEST_PAUSE; i++)
		length *= 2;
	breaker->probe_at = now + (length < LONGEST_PAUSE ? length : LONGEST_PAUSE);
	breaker->pauses++;
}

void
iotdata_breaker_sent(IotDataBreaker *breaker, int64_t now)
{
	if (breaker->pauses > 0)
		pause(breaker, now);
}

bool
iotdata_breaker_succeeded(IotDataBreaker *breaker)
{
	bool		closes = breaker->pauses > 0;

	breaker->failures = 0;
	breaker->pauses = 0;
	return closes;
}

bool
iotdata_breaker_failed(IotDataBreaker *breaker, bool target, int64_t now)
{
	breaker->failures++;
	/* those that were in flight with the one that opened it tell no news */
	if (breaker->pauses > 0 || (!target && breaker->failures < MAX_FAILURES))
		return false;
	pause(breaker, now);
	return true;
}
