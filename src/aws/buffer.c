/*
 * buffer.c
 *		Text assembled in storage that the caller owns.
 */
#include <string.h>

#include "aws/buffer.h"

void
iotdata_buffer_init(IotDataBuffer *buffer, char *storage, size_t size)
{
	buffer->data = storage;
	buffer->size = size;
	buffer->length = 0;
	buffer->overflowed = (size == 0);
	if (size > 0)
		storage[0] = '\0';
}

void
iotdata_buffer_append(IotDataBuffer *buffer, const void *bytes, size_t length)
{
	if (length == 0)
		return;

	/*
	 * After the first overflow nothing is appended any more, or a later and
	 * shorter piece would close the gap and the text would look whole.
	 */
	if (buffer->overflowed || length >= buffer->size - buffer->length)
	{
		buffer->overflowed = true;
		return;
	}
	memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void
iotdata_buffer_append_string(IotDataBuffer *buffer, const char *string)
{
	iotdata_buffer_append(buffer, string, strlen(string));
}
