/*
 * cache.h
 *		Answers that any session observed, kept for those who may take one of
 *		some age; and who is asking for what right now.
 *
 * The memory is a ring: a new answer takes the place of the oldest ones, and
 * nothing else is ever dropped but by iotdata_kept_forget. An answer is found
 * by all that decides it: endpoint, region, credentials (as "scope") and the
 * request's path and query.
 */
#ifndef IOTDATA_SHARED_CACHE_H
#define IOTDATA_SHARED_CACHE_H

#include "postgres.h"

#include "datatype/timestamp.h"

#define IOTDATA_KEPT_SCOPE_SIZE 32

/* an answer of more bytes is not kept */
#define IOTDATA_KEPT_MAX_LENGTH 2048

/*
 * Whose answer to what. "scope" is a SHA-256 over endpoint, region, access key
 * and secret, so that nobody gets what their own credentials were not told.
 */
typedef struct IotDataKeptKey
{
	const uint8 *scope;			/* IOTDATA_KEPT_SCOPE_SIZE bytes */
	const char *request;		/* path and query */
	size_t		length;			/* of it */
	uint64		hash;			/* over both, by iotdata_kept_hash */
} IotDataKeptKey;

typedef struct IotDataKeptAnswer
{
	TimestampTz observed_at;	/* when the answer came */
	bool		absent;			/* it was a 404: no bytes */
	size_t		length;
	char		bytes[IOTDATA_KEPT_MAX_LENGTH];
} IotDataKeptAnswer;

/* Somebody's announcement that they are asking; 0 is none. */
typedef uint64 IotDataKeptClaim;

extern uint64 iotdata_kept_hash(const uint8 *scope, const char *request,
								size_t length);

/*
 * The newest answer, if it was observed at "oldest" or later (and not after
 * now, as after the clock was set back). Returns false when there is none. Of
 * answer->bytes only "length" are written.
 */
extern bool iotdata_kept_find(const IotDataKeptKey *key, TimestampTz oldest,
							  IotDataKeptAnswer *answer);

/*
 * Keep an answer, in the place of an older one. One that is too long is not,
 * nor one that is older than what is kept.
 */
extern void iotdata_kept_store(const IotDataKeptKey *key,
							   const IotDataKeptAnswer *answer);

/*
 * Announce that this session is about to ask. Returns false when another one
 * already is (of this session's own calls none asks twice; that is the
 * caller's concern); then "wait" gets the microseconds after which to look
 * again at the latest, should nobody set the latch: who asks may be stuck, and
 * after three seconds counts as gone. When there is no room for the announcement,
 * true is returned with no claim: ask all the same.
 *
 * Who waits is woken through a condition variable, by its latch: it calls
 * iotdata_kept_prepare_to_wait each time before it looks (find, claim), and
 * iotdata_kept_stop_waiting when it waits no longer. To wake is to be taken off
 * the variable's list. The end of a transaction or subtransaction by an error
 * takes a session off it, too, and so does waiting for another one.
 */
extern bool iotdata_kept_claim(const IotDataKeptKey *key, int64 now,
							   IotDataKeptClaim *claim, int64 *wait);

/* It was answered (and stored), or given up: wakes those who wait. */
extern void iotdata_kept_release(IotDataKeptClaim claim);

extern void iotdata_kept_prepare_to_wait(void);
extern void iotdata_kept_stop_waiting(void);

/* Drop all answers. */
extern void iotdata_kept_forget(void);

/* For shared.c: the part's size, and its first state. */
extern Size iotdata_kept_size(void);
extern void iotdata_kept_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_CACHE_H */
