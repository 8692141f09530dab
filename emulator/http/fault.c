/*
 * fault.c
 *	  What goes wrong by option: requests that fail, connections that are
 *	  closed, answers that are late.
 *
 * One number is drawn for what happens to a request and, with jitter, one for
 * its delay, from two sequences of the same seed.  So what happens to the
 * requests does not depend on the delay, nor on the time.
 */
#include "http/fault.h"

static FaultOptions faults;
static uint64_t fate_state;
static uint64_t jitter_state;

void
fault_init(const FaultOptions *options)
{
	faults = *options;
	fate_state = (uint64_t) options->seed;
	jitter_state = ~(uint64_t) options->seed;
}

/* From 0 to less than 1, all alike; the generator is splitmix64. */
static double
draw(uint64_t *state)
{
	uint64_t	bits = *state += UINT64_C(0x9e3779b97f4a7c15);

	bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	bits ^= bits >> 31;
	return (double) (bits >> 11) / (double) (UINT64_C(1) << 53);
}

Fault
fault_choose(void)
{
	static const Fault failures[] = {FAULT_INTERNAL_FAILURE, FAULT_UNAVAILABLE, FAULT_TIMEOUT};
	double		percent;

	if (faults.fail_percent == 0 && faults.close_percent == 0)
		return FAULT_NONE;
	percent = 100 * draw(&fate_state);
	if (percent < faults.fail_percent)
		return failures[(int) (percent / faults.fail_percent * 3)];
	percent -= faults.fail_percent;
	if (percent < faults.close_percent)
		return percent < faults.close_percent / 2 ? FAULT_CLOSE_BEFORE : FAULT_CLOSE_AFTER;
	return FAULT_NONE;
}

int64_t
fault_delay(void)
{
	int64_t		delay = faults.delay * 1000;

	if (faults.jitter > 0)
		delay += (int64_t) (draw(&jitter_state) * (double) (faults.jitter * 1000 + 1));
	return delay;
}
