/*
 * failure.h
 *		What a layer below the call layer says when it cannot do its work.
 *
 * Only the call layer raises errors (error/raise.h). The layers below return
 * false and fill one of these, so that no error is raised with a library's
 * frames on the stack, and every error is worded in one style.
 */
#ifndef IOTDATA_ERROR_FAILURE_H
#define IOTDATA_ERROR_FAILURE_H

#include "postgres.h"

typedef struct IotDataFailure
{
	int			sqlstate;		/* as MAKE_SQLSTATE packs it */
	const char *message;		/* primary message: lower case, no full stop */
	const char *detail;			/* a sentence, or NULL */
	const char *hint;			/* a sentence, or NULL */
} IotDataFailure;

/* Fill a failure with strings that live as long as it is read. Returns false. */
extern bool iotdata_fail(IotDataFailure *failure, int sqlstate, const char *message,
						 const char *detail, const char *hint);

#endif							/* IOTDATA_ERROR_FAILURE_H */
