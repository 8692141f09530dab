/*
 * clock.h
 *		The time that waiting goes by, and the one that requests are signed with.
 */
#ifndef IOTDATA_CALL_CLOCK_H
#define IOTDATA_CALL_CLOCK_H

#include "postgres.h"

#include <time.h>

/* Microseconds of CLOCK_MONOTONIC. */
extern int64 iotdata_clock_monotonic(void);

/* Seconds of Unix time, as the service has it as far as is known. */
extern time_t iotdata_clock_now(void);

/*
 * The service, which did not take a signature, gave "date" as its time. When
 * that is more than 4 minutes from ours, ours is set right for all further
 * signatures of this backend, and true returned: it is worth trying again.
 */
extern bool iotdata_clock_correct(time_t date);

#endif							/* IOTDATA_CALL_CLOCK_H */
