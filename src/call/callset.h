/*
 * callset.h
 *		Calls to one target or several: begun as the limits allow, waited for,
 *		tried again, and handed back as they end.
 */
#ifndef IOTDATA_CALL_CALLSET_H
#define IOTDATA_CALL_CALLSET_H

#include "postgres.h"

#include "call/call.h"
#include "call/queue.h"
#include "request/request.h"
#include "shared/progress.h"
#include "target/target.h"

typedef struct IotDataCallSet IotDataCallSet;

/*
 * A set of calls, owned by the current memory context. What runs when the set
 * is deleted is stopped. Raises 53000 without memory or descriptors for the
 * HTTP library.
 */
extern IotDataCallSet *iotdata_callset_create(void);
extern void iotdata_callset_delete(IotDataCallSet *set);

/*
 * For a caller with a schedule of its own: each call makes one attempt, one that
 * cannot be started has ended with its "failure", and there is room for
 * "max_calls" instead of iotdata.max_concurrency.
 */
extern void iotdata_callset_leave_retries(IotDataCallSet *set, int max_calls);

/* Show the set's targets and calls in "progress", which must live as long. */
extern void iotdata_callset_show(IotDataCallSet *set, IotDataProgress *progress);

/*
 * The set's queue of calls to "target", which the queue holds from then on; one
 * that is busy, or waits for its rate, does not hold up the others. Returns
 * NULL with "failure" filled (28000) when the target has no credentials. Raises
 * what iotdata_identity_get raises.
 */
extern IotDataCallQueue *iotdata_callset_queue(IotDataCallSet *set,
											   const IotDataTarget *target,
											   IotDataFailure *failure);

/* May another call be added: are there fewer than iotdata.max_concurrency? */
extern bool iotdata_callset_has_room(const IotDataCallSet *set);

/* Are there calls that were not handed back yet? */
extern bool iotdata_callset_is_under_way(const IotDataCallSet *set);

/*
 * Add a call, which begins at once if the limits allow. "context" becomes the
 * call's and the set's; the request must live as long, best in it. "owner" is
 * found in the call again. Raises what iotdata_attempt_start raises.
 */
extern void iotdata_callset_add(IotDataCallQueue *queue, MemoryContext context,
								const IotDataRequest *request, void *owner);

/*
 * Wait for the next call that ends, in whatever way. Returns NULL when none is
 * left. The caller deletes the call's context, or leaves it to the set.
 */
extern IotDataCall *iotdata_callset_next(IotDataCallSet *set);

/*
 * The next call that has ended; when none has, wait once: until something
 * happens to a call, the latch is set, or "until" (microseconds of
 * CLOCK_MONOTONIC; PG_INT64_MAX: no limit). Returns NULL when none has ended
 * then, which may be early. The set may be empty.
 */
extern IotDataCall *iotdata_callset_poll(IotDataCallSet *set, int64 until);

/* Make one call, and wait for its end: the queue's set has no other. */
extern IotDataCall *iotdata_callset_call(IotDataCallQueue *queue,
										 const IotDataRequest *request);

/* Microseconds that the set has waited for the rate so far. */
extern int64 iotdata_callset_rate_wait(const IotDataCallSet *set);

#endif							/* IOTDATA_CALL_CALLSET_H */
