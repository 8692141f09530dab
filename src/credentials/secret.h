/*
 * secret.h
 *		Memory that may hold a secret: cleared before it is freed.
 */
#ifndef IOTDATA_CREDENTIALS_SECRET_H
#define IOTDATA_CREDENTIALS_SECRET_H

#include "postgres.h"

/*
 * "size" bytes in the current memory context, which are zero, and cleared when
 * it is reset or deleted.
 */
extern char *iotdata_secret_alloc(size_t size);

/* A copy of "length" bytes there, with a NUL behind it. */
extern char *iotdata_secret_copy(const char *bytes, size_t length);

/*
 * The content of a file of at most "limit" bytes there, without white space at
 * its ends. Returns NULL with *why set to a sentence when it cannot be read, is
 * empty or too long, or is no regular file.
 */
extern char *iotdata_secret_read_file(const char *path, size_t limit, const char **why);

#endif							/* IOTDATA_CREDENTIALS_SECRET_H */
