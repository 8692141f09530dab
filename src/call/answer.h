/*
 * answer.h
 *		What came back: the service's answer to a call, or why there is none.
 */
#ifndef IOTDATA_CALL_ANSWER_H
#define IOTDATA_CALL_ANSWER_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "aws/json.h"
#include "call/callset.h"
#include "call/request.h"
#include "compat.h"
#include "failure.h"
#include "target/target.h"

/* A good answer. */
typedef struct IotDataAnswer
{
	const IotDataRequest *request;
	bool		absent;			/* a read of what is not there: nothing else */
	IotDataJsonValue root;		/* the document */
	int			http_status;
	const char *request_id;		/* NULL when the answer had none */
	int			attempts;
} IotDataAnswer;

/*
 * Send a request to "target" and wait for its answer, which is allocated in
 * the current memory context, the document included. Raises what went wrong.
 */
extern IotDataAnswer *iotdata_call(const IotDataTarget *target,
								   const IotDataRequest *request);

/*
 * Read a call that has ended, into the current memory context. Returns false
 * with "failure" filled when it failed.
 */
extern bool iotdata_answer_read(IotDataAnswer *answer, const IotDataCall *call,
								IotDataFailure *failure);

/*
 * The values of one row, from an object of the answer, by the operation's
 * table of fields: "values" and "nulls" have an entry for each of them, and
 * the column's type decides how a member is read. What is missing is NULL.
 * In the current memory context. Raises 08P01 when a member is not of its
 * column's type.
 */
extern void iotdata_answer_decode(const IotDataAnswer *answer,
								  IotDataJsonValue object, TupleDesc columns,
								  Datum *values, bool *nulls);

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

#endif							/* IOTDATA_CALL_ANSWER_H */
