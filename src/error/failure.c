/*
 * failure.c
 *		What a layer below the call layer says when it cannot do its work.
 */
#include "postgres.h"

#include "error/failure.h"

bool
iotdata_fail(IotDataFailure *failure, int sqlstate, const char *message,
			 const char *detail, const char *hint)
{
	failure->sqlstate = sqlstate;
	failure->message = message;
	failure->detail = detail;
	failure->hint = hint;
	return false;
}
