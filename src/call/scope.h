/*
 * scope.h
 *		Calls and the answers that are kept (shared/cache.h).
 */
#ifndef IOTDATA_CALL_SCOPE_H
#define IOTDATA_CALL_SCOPE_H

#include "postgres.h"

#include "call/call.h"

/*
 * Whose answers: a hash over endpoint, region and credentials. Raises 28000
 * when there are no credentials, 53000 when OpenSSL has no memory. It costs
 * little when it is the same as last time.
 */
extern void iotdata_keep_scope(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE],
							   const IotDataTarget *target);

/* A kept answer that is young enough for the request, into "kept". */
extern bool iotdata_keep_look(const uint8 *scope, const IotDataRequest *request,
							  IotDataCachedAnswer *kept);

/* The same for a call, into its "kept". */
extern bool iotdata_keep_find(const uint8 *scope, IotDataCall *call);

/*
 * Announce that the call is made, until its context is deleted. Returns false,
 * with microseconds to wait, when another session makes the same.
 */
extern bool iotdata_keep_claim(const uint8 *scope, IotDataCall *call,
							   int64 now, int64 *wait);

/* Keep an answer to a request. */
extern void iotdata_keep_store(const uint8 *scope, const IotDataRequest *request,
							   const IotDataCachedAnswer *kept);

#endif							/* IOTDATA_CALL_SCOPE_H */
