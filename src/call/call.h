/*
 * call.h
 *		One call: a request on its way, attempt by attempt.
 */
#ifndef IOTDATA_CALL_H
#define IOTDATA_CALL_H

#include "postgres.h"

#include "aws/retry.h"
#include "call/sign.h"
#include "lib/ilist.h"
#include "request/request.h"
#include "shared/cache.h"
#include "shared/rate.h"
#include "shared/statistics.h"
#include "target/target.h"
#include "transport/transport.h"

typedef struct IotDataCall
{
	MemoryContext context;		/* all of the call is in it */
	const IotDataRequest *request;
	const IotDataTarget *target;
	void	   *owner;			/* whatever the caller gave */

	/* A kept answer that made asking needless; NULL: see the transfer. */
	const IotDataCachedAnswer *kept;

	/* The last attempt, in a context of its own below the call's. */
	MemoryContext attempt;
	IotDataCredentials credentials;
	IotDataSignedRequest signed_request;
	IotDataTransfer *transfer;
	int			attempts;

	/*
	 * How it has ended; who reads the answer may find it malformed. It is
	 * counted when the context is deleted.
	 */
	IotDataOutcome outcome;

	/* From here on the business of callset.c and attempt.c. */
	dlist_node	node;			/* in one of the set's lists, if not running */
	int64		due;			/* not before this (delayed calls) */
	bool		awaits;			/* delayed: another session asks the same */
	IotDataRetry retry;			/* what the last attempt was */
	IotDataRateSubject rate_subject;
	IotDataCacheClaim claim;	/* 0: none */
	int64		begun;			/* the first attempt */
	int64		attempt_begun;
	int			throttled;		/* attempts that a 429 answered */
	IotDataTransferCost cost;	/* of all attempts */
	int64		microseconds;	/* from the first attempt to the end */
} IotDataCall;

/* Microseconds of CLOCK_MONOTONIC. */
extern int64 iotdata_call_now(void);

#endif							/* IOTDATA_CALL_H */
