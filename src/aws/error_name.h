/*
 * error_name.h
 *		What a failed answer calls its error, and what must not be shown of it.
 */
#ifndef IOTDATA_AWS_ERROR_NAME_H
#define IOTDATA_AWS_ERROR_NAME_H

#include "aws/buffer.h"

/*
 * The name of an error out of an x-amzn-ErrorType header, a "code" or a
 * "__type": what stands before the first ':' and after the last '#' of that,
 * blanks around it removed.
 * "aws.iot#ThrottlingException:http://x/" gives "ThrottlingException".
 * Returns false, and leaves "out" as it was, when nothing is left or it is
 * not a name (A-Z a-z 0-9 . _ - only).
 */
extern bool iotdata_error_name(IotDataBuffer *out, const char *raw,
							   size_t length);

/*
 * Overwrite every occurrence of "secret" in the "length" bytes at "text" with
 * '*'. A NULL or empty secret changes nothing.
 */
extern void iotdata_redact(char *text, size_t length, const char *secret);

#endif							/* IOTDATA_AWS_ERROR_NAME_H */
