/*
 * answer.h
 *		What came back: the service's answer to a call, or why there is none.
 */
#ifndef IOTDATA_ANSWER_H
#define IOTDATA_ANSWER_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "aws/json.h"
#include "call/callset.h"
#include "compat.h"
#include "datatype/timestamp.h"
#include "error/failure.h"
#include "request/request.h"

/* A good answer. */
typedef struct IotDataAnswer
{
	const IotDataRequest *request;
	IotDataCall *call;			/* NULL: it was kept, or the call is gone */
	bool		absent;			/* a read of what is not there: no more */
	bool		from_cache;		/* observed earlier, perhaps by another
								 * session */
	TimestampTz observed_at;	/* when it came */
	IotDataJsonValue root;		/* the document; of a kept answer there is
								 * none */

	/* the operation's fields; not of a list, nor of one without fields */
	IotDataJsonValue fields[IOTDATA_MAX_FIELDS];
	int			http_status;
	const char *request_id;		/* of a list; NULL when the answer had none */
	int			attempts;
} IotDataAnswer;

/*
 * Make a call in "set" and wait for its answer, which is allocated in the
 * current memory context and in the call's, that is, the set's. Raises what
 * went wrong.
 */
extern IotDataAnswer *iotdata_call(IotDataCallSet *set,
								   const IotDataRequest *request);

/*
 * Read a call that has ended, into the current memory context; strings may be
 * the call's. Returns false with "failure" filled when it failed.
 */
extern bool iotdata_answer_read(IotDataAnswer *answer, IotDataCall *call,
								IotDataFailure *failure);

/* An answer that was kept, for a request that it will do for. */
extern void iotdata_answer_from_cache(IotDataAnswer *answer,
									  const IotDataRequest *request,
									  const IotDataCachedAnswer *kept);

/*
 * Keep an answer that was found good for those who may take one of some age,
 * if its operation's are kept and it was not kept already. "scope" is the call
 * set's.
 */
extern void iotdata_answer_store(const IotDataAnswer *answer, const uint8 *scope);

/*
 * A row, in "result", from fields of the answer (its own, or those of an item
 * of its list). The column's type decides how a field is read; what is missing
 * is NULL. Raises 08P01 when a field is not of its column's type.
 */
extern HeapTuple iotdata_answer_row(const IotDataAnswer *answer,
									const IotDataJsonValue *fields,
									TupleDesc columns, MemoryContext result);

/* The fields of an item of a list. Raises 08P01 when it is not an object. */
extern void iotdata_answer_item(const IotDataAnswer *answer,
								IotDataJsonValue item,
								IotDataJsonValue fields[IOTDATA_MAX_FIELDS]);

/*
 * The rows of an answer that is a list, and the token for the next page
 * (data NULL when this is the last one). Raises 08P01 when they are not what
 * they must be.
 */
extern IotDataJsonValue iotdata_answer_items(const IotDataAnswer *answer);
extern IotDataBytes iotdata_answer_next_token(const IotDataAnswer *answer);

/*
 * Raise 08P01 for an answer that is not what the API describes; "why" is a
 * phrase in lower case.
 */
pg_noreturn extern void iotdata_answer_refuse(const IotDataAnswer *answer,
											  const char *why);

#endif							/* IOTDATA_ANSWER_H */
