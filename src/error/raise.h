/*
 * raise.h
 *		The one function that raises errors, and their CONTEXT.
 */
#ifndef IOTDATA_ERROR_RAISE_H
#define IOTDATA_ERROR_RAISE_H

#include "postgres.h"

#include "compat.h"
#include "error/failure.h"

/*
 * The network's errors are in the service's class IO: poolers and drivers throw
 * a database connection away on an error of class 08.
 */
#define IOTDATA_ERRCODE_UNREACHABLE MAKE_SQLSTATE('I', 'O', '0', '0', '1')
#define IOTDATA_ERRCODE_CONNECTION_LOST MAKE_SQLSTATE('I', 'O', '0', '0', '6')
#define IOTDATA_ERRCODE_PROTOCOL_VIOLATION MAKE_SQLSTATE('I', 'O', '0', '0', '7')

/* Raise a failure as an ERROR. */
pg_noreturn extern void iotdata_raise(const IotDataFailure *failure);

/* Raise 22023; "message" says what an argument must be, and how it is not. */
pg_noreturn extern void iotdata_raise_argument(const char *message);

/*
 * Raise 55000: "object", of the SQL objects, is not what this library serves.
 * It is of another version, or somebody made it by hand.
 */
pg_noreturn extern void iotdata_raise_version(const char *object);

/* Raise 53000: a library has no memory or no descriptors for what "message" says. */
pg_noreturn extern void iotdata_raise_resources(const char *message);

/*
 * What is being done, for the CONTEXT of every error meanwhile. Push it, change
 * it at will, pop it; an error pops it too. All strings are the caller's, in
 * the database's encoding, and may be NULL but for the operation; long values
 * are cut when they are shown.
 */
typedef struct IotDataErrorContext
{
	ErrorContextCallback callback;
	const char *operation;		/* as the API calls it */
	const char *subject_name;	/* what it is about: an argument's name */
	const char *subject;		/* and value */
	const char *argument;		/* the argument that is being looked at */
	const char *value;			/* and its value */
} IotDataErrorContext;

extern void iotdata_error_context_push(IotDataErrorContext *context,
									   const char *operation);
extern void iotdata_error_context_pop(IotDataErrorContext *context);

#endif							/* IOTDATA_ERROR_RAISE_H */
