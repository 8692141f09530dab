/*
 * breaker.h
 *		A circuit breaker: a target that takes nothing is not asked for every
 *		message anew.
 *
 * Closed, everything is sent. It opens when the target cannot be reached or
 * throttles, or when nothing but failures came for a while; then one message is
 * sent as a probe after each pause, and pauses double, until one of them gets
 * an answer. A probe that hangs does not keep the next one waiting. Times are microseconds of any clock, and arguments. No PostgreSQL
 * header is needed here.
 */
#ifndef IOTDATA_OUTBOX_BREAKER_H
#define IOTDATA_OUTBOX_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
typedef struct IotDataBreaker
{
	int			failures;		/* one after the other */
	int			pauses;			/* likewise; 0: closed */
	int64_t		probe_at;		/* open: when the next probe may be sent */
} IotDataBreaker;

extern bool iotdata_breaker_is_open(const IotDataBreaker *breaker);

/* May a message be sent? */
extern bool iotdata_breaker_allows(const IotDataBreaker *breaker, int64_t now);

/* It is: if the breaker is open, as a probe. */
extern void iotdata_breaker_sent(IotDataBreaker *breaker, int64_t now);

/* The target answered as it should. Returns whether that has closed it. */
extern bool iotdata_breaker_succeeded(IotDataBreaker *breaker);

/*
 * A message came to nothing; "target": that was surely the target's fault.
 * Returns whether that has opened it.
 */
extern bool iotdata_breaker_failed(IotDataBreaker *breaker, bool target,
								   int64_t now);

#endif							/* IOTDATA_OUTBOX_BREAKER_H */
