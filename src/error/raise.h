/*
 * raise.h
 *		Errors: the one function that raises them, and their CONTEXT.
 */
#ifndef IOTDATA_ERROR_RAISE_H
#define IOTDATA_ERROR_RAISE_H

#include "postgres.h"

#include "compat.h"
#include "error/failure.h"
#include "request/operation.h"

/* Raise a failure as an ERROR. */
pg_noreturn extern void iotdata_raise(const IotDataFailure *failure);

/* Raise 53000: a library has no memory or no descriptors for what "message" says. */
pg_noreturn extern void iotdata_raise_resources(const char *message);

/*
 * What is being done, for the CONTEXT of every error meanwhile: an operation,
 * what it is about, and the argument that is being looked at. Push it, change
 * it at will, pop it; an error pops it too.
 */
typedef struct IotDataErrorContext
{
	ErrorContextCallback callback;
	const IotDataOperation *operation;
	const IotDataArgument *argument;	/* or NULL */
	const char *subject;		/* the first argument's value, or NULL */
} IotDataErrorContext;

extern void iotdata_error_context_push(IotDataErrorContext *context,
									   const IotDataOperation *operation);
extern void iotdata_error_context_pop(IotDataErrorContext *context);

#endif							/* IOTDATA_ERROR_RAISE_H */
