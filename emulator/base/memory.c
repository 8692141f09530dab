/*
 * memory.c
 *	  Allocation that never returns NULL, and a growing byte buffer.
 */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
check_allocation(void *block)
{
	if (block == NULL)
	{
		fputs("iotdata-emulator: out of memory\n", stderr);
		exit(1);
	}
	return block;
}

void *
memory_alloc(size_t size)
{
	return check_allocation(calloc(1, size > 0 ? size : 1));
}

void *
memory_resize(void *old, size_t size)
{
	return check_allocation(realloc(old, size > 0 ? size : 1));
}

char *
memory_copy_string(const char *string)
{
	return memory_copy_text(string, strlen(string));
}

char *
memory_copy_text(const void *bytes, size_t length)
{
	char	   *copy = check_allocation(malloc(length + 1));

	if (length > 0)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

void
buffer_reserve(Buffer *buffer, size_t extra)
{
	size_t		capacity = buffer->capacity > 0 ? buffer->capacity : 64;

	if (buffer->capacity - buffer->length >= extra)
		return;
	while (capacity - buffer->length < extra)
		capacity *= 2;
	buffer->data = memory_resize(buffer->data, capacity);
	buffer->capacity = capacity;
}

void
buffer_append(Buffer *buffer, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	buffer_reserve(buffer, length);
	memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
}

void
buffer_append_string(Buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void
buffer_append_u8(Buffer *buffer, unsigned value)
{
	if (buffer->length == buffer->capacity)
		buffer_reserve(buffer, 1);
	buffer->data[buffer->length++] = (uint8_t) value;
}

void
buffer_append_u16(Buffer *buffer, unsigned value)
{
	buffer_append_u8(buffer, value >> 8);
	buffer_append_u8(buffer, value & 0xff);
}

void
buffer_append_u32(Buffer *buffer, uint32_t value)
{
	buffer_append_u16(buffer, value >> 16);
	buffer_append_u16(buffer, value & 0xffff);
}

void
buffer_consume(Buffer *buffer, size_t length)
{
	if (length == 0)
		return;
	memmove(buffer->data, buffer->data + length, buffer->length - length);
	buffer->length -= length;
}

void
buffer_free(Buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

const char *
buffer_text(Buffer *buffer)
{
	buffer_reserve(buffer, 1);
	buffer->data[buffer->length] = '\0';
	return (const char *) buffer->data;
}
