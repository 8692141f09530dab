/*
 * bytes.h
 *		Bytes as the API wants them.
 */
#ifndef IOTDATA_REQUEST_BYTES_H
#define IOTDATA_REQUEST_BYTES_H

#include "postgres.h"

/* A NUL, not counted, stands behind them. */
typedef struct IotDataBytes
{
	const char *data;
	size_t		length;
} IotDataBytes;

/* All allocate in the current memory context, and copy. */
extern IotDataBytes iotdata_bytes_copy(const char *bytes, size_t length);

/* From the database's encoding to UTF-8; raises what the conversion raises. */
extern IotDataBytes iotdata_bytes_from_text(const char *text, size_t length);

extern IotDataBytes iotdata_bytes_to_base64(IotDataBytes bytes);

#endif							/* IOTDATA_REQUEST_BYTES_H */
