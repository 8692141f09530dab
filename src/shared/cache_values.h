/*
 * cache_values.h
 *		The values that a row is made of, in as few bytes as is easy, for backends
 *		of this server to read again.
 *
 * No PostgreSQL header is needed here.
 */
#ifndef IOTDATA_SHARED_CACHE_VALUES_H
#define IOTDATA_SHARED_CACHE_VALUES_H

#include <stddef.h>

#include "aws/json.h"

/*
 * Write values into "out". Strings that are a part of the request, which is at
 * hand when they are read, take two bytes. Returns how many bytes were written;
 * 0 when they do not fit, or are not all of simple types.
 */
extern size_t iotdata_cache_pack(const IotDataJsonValue *values, int nvalues,
								 const char *request, size_t request_length,
								 char *out, size_t size);

/* How many bytes the strings of packed values need, NULs included. */
extern size_t iotdata_cache_unpacked_size(const char *packed);

/*
 * Read as many values as were written, with the same request. Strings are put
 * into "strings", which has room for them.
 */
extern void iotdata_cache_unpack(const char *packed, const char *request,
								 IotDataJsonValue *values, int nvalues,
								 char *strings);

#endif							/* IOTDATA_SHARED_CACHE_VALUES_H */
