/*
 * request.h
 *		A request: what an operation with its arguments says on the wire.
 */
#ifndef IOTDATA_REQUEST_H
#define IOTDATA_REQUEST_H

#include "postgres.h"

#include "aws/sigv4.h"
#include "error/raise.h"
#include "request/argument.h"
#include "request/operation.h"

/* headers that arguments become */
#define IOTDATA_REQUEST_MAX_HEADERS 4

typedef struct IotDataRequest
{
	const IotDataOperation *operation;
	const char *subject;		/* as the user gave it; NULL: there is none */
	const char *path;			/* encoded */
	const char *query;			/* encoded, "" when there is none */
	const char *request_target; /* path and query, as they go on the wire */
	size_t		request_target_length;
	IotDataHeader headers[IOTDATA_REQUEST_MAX_HEADERS];
	int			nheaders;
	IotDataBytes body;
	int			wait_seconds;	/* that the service may wait for the device */
	const char *server;			/* whose target it is for, "": the default
								 * one; NULL: not said */
	int64		max_age;		/* microseconds; -1: no cached answer will do */
} IotDataRequest;

/*
 * Build the request of an operation, in the current memory context. "values"
 * has one entry for each of "types". "context" is told what the call is about,
 * and which argument is being looked at.
 *
 * Returns NULL when a required argument of a read is NULL; for an action that
 * raises 22004. Raises 25006 for an action in a read-only transaction, and what
 * iotdata_argument_encode raises.
 */
extern IotDataRequest *iotdata_request_build(const IotDataOperation *operation,
											 const NullableDatum *values,
											 const IotDataArgumentTypes *types,
											 IotDataErrorContext *context);

/*
 * How much of the path names the subject, up to its end: it is what a read of the
 * subject itself has for a path. 0: there is no such thing.
 */
extern size_t iotdata_request_subject_path_length(const IotDataRequest *request);

/*
 * The same request for the page that "token", in UTF-8, stands for; in the
 * current memory context.
 */
extern IotDataRequest *iotdata_request_next_page(const IotDataRequest *request,
												 IotDataBytes token);

#endif							/* IOTDATA_REQUEST_H */
