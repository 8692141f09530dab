/*
 * answer.h
 *		What came back: the service's answer to a call, or why there is none.
 */
#ifndef IOTDATA_ANSWER_H
#define IOTDATA_ANSWER_H

#include "postgres.h"

#include "aws/json.h"
#include "call/call.h"
#include "compat.h"
#include "datatype/timestamp.h"
#include "error/failure.h"
#include "request/request.h"

/* A good answer. */
typedef struct IotDataAnswer
{
	const IotDataRequest *request;
	IotDataCall *call;			/* NULL: from the cache, or the call is gone */
	bool		not_found;		/* a read of what is not there: no more */
	bool		from_cache;		/* observed earlier, perhaps by another
								 * session */
	TimestampTz observed_at;	/* when it came */
	IotDataCacheDrops asked;	/* when it was asked for; of no cached answer */
	IotDataJsonValue root;		/* the document; of a cached answer there is
								 * none */

	/* of each column; not of a list, nor of an operation without columns */
	IotDataJsonValue values[IOTDATA_MAX_COLUMNS];
	int			http_status;
	const char *request_id;		/* of a list; NULL when the answer had none */
	int			attempts;
} IotDataAnswer;

/*
 * Read a call that has ended, into the current memory context; strings may be
 * the call's. Returns false with "failure" filled when it failed.
 */
extern bool iotdata_answer_read(IotDataAnswer *answer, IotDataCall *call,
								IotDataFailure *failure);

/*
 * A cached answer to a request. Strings are made in the current memory context.
 */
extern void iotdata_answer_from_cache(IotDataAnswer *answer,
									  const IotDataRequest *request,
									  const IotDataCachedAnswer *cached);

/*
 * May an answer to the operation be cached, and is there anybody for whom?
 * "again": this session may look for it again, even if the request takes no
 * cached answer. Who shares no cache needs none otherwise.
 */
extern bool iotdata_answer_is_cacheable(const IotDataAnswer *answer, bool again);

/* Store such an answer, found good, in the cache. */
extern void iotdata_answer_store(const IotDataAnswer *answer,
								 const IotDataCacheKey *key);

/*
 * The items of an answer that is a list, and the token for the next page
 * (data NULL when this is the last one). Raises IO007 when they are not what
 * they must be.
 */
extern IotDataJsonValue iotdata_answer_items(const IotDataAnswer *answer);
extern IotDataBytes iotdata_answer_next_token(const IotDataAnswer *answer);

/*
 * The values of each column from an item of a list. Raises IO007 when it has
 * columns with members, and is not an object.
 */
extern void iotdata_answer_item(const IotDataAnswer *answer,
								IotDataJsonValue item,
								IotDataJsonValue values[IOTDATA_MAX_COLUMNS]);

/*
 * Raise IO007 for an answer that is not what the API describes; "why" is a
 * phrase in lower case.
 */
pg_noreturn extern void iotdata_answer_refuse(const IotDataAnswer *answer,
											  const char *why);

#endif							/* IOTDATA_ANSWER_H */
