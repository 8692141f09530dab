/*
 * fault.h
 *	  What goes wrong by option: requests that fail, connections that are
 *	  closed, answers that are late.
 */
#ifndef EMULATOR_FAULT_H
#define EMULATOR_FAULT_H

#include <stdint.h>

typedef struct FaultOptions
{
	double		fail_percent;	/* of the requests; together with the next */
	double		close_percent;	/* at most 100 */
	int64_t		delay;			/* milliseconds, as the next */
	int64_t		jitter;			/* the most that is added to the delay */
	int64_t		seed;			/* the same seed, the same course of things */
} FaultOptions;

/* What happens to a request. */
typedef enum Fault
{
	FAULT_NONE,
	FAULT_INTERNAL_FAILURE,		/* answered so, and not carried out */
	FAULT_UNAVAILABLE,			/* the same */
	FAULT_TIMEOUT,				/* carried out, and answered so */
	FAULT_CLOSE_BEFORE,			/* closed, and not carried out */
	FAULT_CLOSE_AFTER			/* carried out, and closed */
} Fault;

/* Without it nothing goes wrong. */
extern void fault_init(const FaultOptions *options);

/* For the next request. */
extern Fault fault_choose(void);

/* How long after the request its answer must come; microseconds. */
extern int64_t fault_delay(void);

#endif							/* EMULATOR_FAULT_H */
