/*
 * sanitize.h
 *		Text from strangers, made fit for a message.
 */
#ifndef IOTDATA_ERROR_SANITIZE_H
#define IOTDATA_ERROR_SANITIZE_H

#include "postgres.h"

/*
 * A copy of "length" bytes of what should be UTF-8, in the database's
 * encoding and on one line: control characters become blanks, and what is not
 * UTF-8 or not in the encoding becomes '?'. Never raises for its content.
 * Allocated in the current memory context.
 */
extern char *iotdata_sanitize(const char *bytes, size_t length);

/* Shorten a text to at most "limit" bytes, at the end of a character. */
extern void iotdata_truncate(char *text, int limit);

#endif							/* IOTDATA_ERROR_SANITIZE_H */
