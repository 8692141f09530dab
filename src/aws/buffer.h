/*
 * buffer.h
 *		Text assembled in storage that the caller owns.
 *
 * Nothing in src/aws allocates for its output: the caller hands in storage of
 * a size it chose, and a text that does not fit is an overflow that it can
 * see, never a shorter text taken for the whole one.
 */
#ifndef IOTDATA_AWS_BUFFER_H
#define IOTDATA_AWS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct IotDataBuffer
{
	char	   *data;			/* always NUL-terminated */
	size_t		size;			/* bytes of storage, the NUL included */
	size_t		length;			/* bytes of text, without the NUL */
	bool		overflowed;		/* something did not fit: the text is useless */
} IotDataBuffer;

/* Begin an empty text in "storage" of "size" bytes (at least 1). */
extern void iotdata_buffer_init(IotDataBuffer *buffer, char *storage,
								size_t size);

/* Append bytes. What does not fit is not appended in part: it sets overflowed. */
extern void iotdata_buffer_append(IotDataBuffer *buffer, const void *bytes,
								  size_t length);

/* Append a NUL-terminated string. */
extern void iotdata_buffer_append_string(IotDataBuffer *buffer,
										 const char *string);

#endif							/* IOTDATA_AWS_BUFFER_H */
