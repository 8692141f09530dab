/*
 * call.h
 *		One call: a request on its way, attempt by attempt.
 *
 * The words, from the bottom up, and who owns what:
 *
 *	request		What an operation with its arguments says on the wire
 *				(request/request.h). Nothing in it changes. Its strings are in the
 *				context that was current when it was built, and who built it keeps
 *				that one as long as any call for it.
 *	transfer	One exchange over HTTP (transport/transport.h): malloc's, and tied
 *				to the attempt's context.
 *	attempt		A request that is signed and given to a transfer. Each attempt of
 *				a call has a context of its own, below the call's; a new attempt
 *				ends the one before.
 *	call		A request and its attempts until one of them is the last. It has a
 *				context below its set's, which the one who takes the call when it
 *				has ended deletes.
 *	queue		The calls of a set to one target, and as whom they are made
 *				(call/callset.h). It is the set's, and holds the target.
 *	call set	The calls of one function or one join, and the limits that they
 *				share (call/callset.h). Its context is below its creator's.
 *	answer		A call that has ended, read (answer/answer.h): its strings are the
 *				transfer's and the reader's, so it is used before the call's
 *				context is deleted.
 *	lookup		What was asked by a read, and its rows or its failure
 *				(lookup/lookup.h): in the context of its lookups, independent of
 *				any call that served it.
 *
 * Deleting a context ends what is in it, and that is all the cleaning up there
 * is: an error anywhere takes the same way. So there is one rule for reset
 * callbacks. A context's children are deleted before it, the newest first, and
 * a callback runs when all of them are gone, in the reverse order of its
 * context's registrations. It may touch what is in its own context or in one
 * above, what is malloc's and freed by a callback registered before it, and
 * what is static; nothing that hangs on a sibling, such as a call's request.
 */
#ifndef IOTDATA_CALL_H
#define IOTDATA_CALL_H

#include "postgres.h"

#include "aws/retry.h"
#include "credentials/credentials.h"
#include "credentials/sign.h"
#include "error/failure.h"
#include "lib/ilist.h"
#include "request/request.h"
#include "shared/cache.h"
#include "shared/cache_claims.h"
#include "shared/rate.h"
#include "shared/statistics.h"
#include "target/target.h"
#include "transport/transport.h"

typedef struct IotDataCall
{
	MemoryContext context;		/* all of the call is in it */
	const IotDataOperation *operation;
	const IotDataRequest *request;	/* not for reset callbacks */
	const IotDataTarget *target;	/* the queue's */
	const char *account;		/* the queue's */
	void	   *owner;			/* whatever the caller gave */

	/* A cached answer that made asking needless; NULL: see the transfer. */
	const IotDataCachedAnswer *cached;

	/* The last attempt, in a context of its own below the call's. */
	MemoryContext attempt;
	const IotDataCredentials *credentials;	/* held by it */
	IotDataSignedRequest signed_request;
	IotDataTransfer *transfer;
	int			attempts;
	bool		renewed;		/* its credentials, because they had expired */

	/*
	 * Why the last attempt could not even be started: then there is no
	 * transfer, and nothing was sent. NULL otherwise.
	 */
	const IotDataFailure *failure;

	/*
	 * How it has ended; who reads the answer may find it to be something
	 * else. It is counted when the context is deleted.
	 */
	IotDataOutcome outcome;

	/* From here on the business of callset.c and attempt.c. */
	struct IotDataCallQueue *queue;
	dlist_node	node;			/* in one of its lists or the set's, if not
								 * running */
	int64		due;			/* not before this (delayed calls) */
	bool		awaits;			/* delayed: another session asks the same */
	int			max_attempts;
	int			max_skewed_attempts;	/* when the clock was wrong */
	IotDataRetry retry;			/* what the last attempt was */
	IotDataRateSubject rate_subject;
	IotDataCacheClaim claim;	/* 0: none */
	bool		missed;			/* no cached answer would do: counted */
	IotDataCacheDrops asked;	/* as the last attempt began */
	const char *subject_path;	/* of an action: the path of a read of its
								 * subject; or NULL */
	bool		belies;			/* what cached answers say of the subject */
	int64		begun;			/* the first attempt */
	int64		attempt_begun;
	int			throttled;		/* attempts that a 429 answered */
	IotDataTransferCost cost;	/* of all attempts */
	int64		microseconds;	/* from the first attempt to the end */
} IotDataCall;

#endif							/* IOTDATA_CALL_H */
