/*
 * callset.h
 *		Calls to one target: started, waited for, and handed back as they end.
 */
#ifndef IOTDATA_CALL_CALLSET_H
#define IOTDATA_CALL_CALLSET_H

#include "postgres.h"

#include "call/request.h"
#include "call/sign.h"
#include "target/target.h"
#include "transport/transport.h"

typedef struct IotDataCallSet IotDataCallSet;

typedef struct IotDataCall
{
	MemoryContext context;		/* all of the call is in it, the transfer too */
	const IotDataRequest *request;
	const IotDataTarget *target;
	IotDataCredentials credentials;
	IotDataSignedRequest signed_request;
	IotDataTransfer *transfer;	/* NULL: there was no memory for one */
	int			attempts;
} IotDataCall;

/*
 * A set of calls to "target", owned by the current memory context. What runs
 * when the set is deleted is stopped.
 */
extern IotDataCallSet *iotdata_callset_create(const IotDataTarget *target);
extern void iotdata_callset_delete(IotDataCallSet *set);

/*
 * Add a request, which must live until its call is handed back. Raises 28000
 * when there is nothing to sign it with.
 */
extern void iotdata_callset_add(IotDataCallSet *set,
								const IotDataRequest *request);

/*
 * Wait for the next call that ends, in whatever way. Returns NULL when none is
 * left. The caller deletes the call's context, or leaves it to the set.
 */
extern IotDataCall *iotdata_callset_next(IotDataCallSet *set);

#endif							/* IOTDATA_CALL_CALLSET_H */
