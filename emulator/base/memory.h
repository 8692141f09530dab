/*
 * memory.h
 *	  Allocation that never returns NULL, and a growing byte buffer.
 */
#ifndef EMULATOR_MEMORY_H
#define EMULATOR_MEMORY_H

#include <stddef.h>
#include <stdint.h>

typedef struct Buffer
{
	uint8_t    *data;
	size_t		length;
	size_t		capacity;
} Buffer;

/* All of these exit with a message when there is no memory. */
extern void *memory_alloc(size_t size); /* zeroed */
extern void *memory_resize(void *old, size_t size);
extern char *memory_copy_string(const char *string);
extern char *memory_copy_text(const void *bytes, size_t length);	/* adds the NUL */

extern void buffer_reserve(Buffer *buffer, size_t extra);
extern void buffer_append(Buffer *buffer, const void *bytes, size_t length);
extern void buffer_append_string(Buffer *buffer, const char *string);
extern void buffer_append_u8(Buffer *buffer, unsigned value);
extern void buffer_append_u16(Buffer *buffer, unsigned value);
extern void buffer_append_u32(Buffer *buffer, uint32_t value);
extern void buffer_consume(Buffer *buffer, size_t length);
extern void buffer_free(Buffer *buffer);

/* The buffer as a C string; valid until the next append. */
extern const char *buffer_text(Buffer *buffer);

#endif							/* EMULATOR_MEMORY_H */
