/*
 * attempt.h
 *		One attempt at a call: signed, sent, and judged when it has ended.
 */
#ifndef IOTDATA_CALL_ATTEMPT_H
#define IOTDATA_CALL_ATTEMPT_H

#include "postgres.h"

#include "call/call.h"

/*
 * Sign the call's request and start to send it; what was left of the attempt
 * before is freed. The transfer is put at the tail of "finished" when it has
 * ended. Returns false with the call's "failure" set when it cannot be signed:
 * 28000 when there is nothing to sign it with, 53000 without memory.
 */
extern bool iotdata_attempt_start(IotDataCall *call, dlist_head *finished);

/* Was the attempt, which has ended, answered by a 429? */
extern bool iotdata_attempt_is_throttled(const IotDataCall *call);

/*
 * The attempt has ended: is there to be another one? Then "delay" gets the
 * microseconds to wait before it. An attempt that was "stalled" (the backend
 * did not look after it for so long that it may have failed for that) is made
 * again at once and counts for nothing, if nothing can have come of it. One
 * that was throttled while the pace is "slowing" counts for nothing either:
 * servers that share a quota have yet to find their shares.
 */
extern bool iotdata_attempt_again(IotDataCall *call, bool stalled, bool slowing,
								  int64 *delay);

/* How the call has ended, for the statistics. */
extern IotDataOutcome iotdata_attempt_outcome(const IotDataCall *call);

#endif							/* IOTDATA_CALL_ATTEMPT_H */
