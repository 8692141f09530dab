/*
 * text.h
 *	  UTF-8, percent encoding, base64 and numbers, all strict.
 */
#ifndef EMULATOR_TEXT_H
#define EMULATOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/*
 * Well-formed UTF-8 as MQTT wants it: no surrogates, no overlong forms, and
 * no U+0000.
 */
extern bool text_is_utf8(const void *bytes, size_t length);

/*
 * Undoes %XX.  The result is NUL-terminated, in new memory; NULL when a '%'
 * has no two hex digits behind it, or when the result would contain a NUL.
 */
extern char *text_percent_decode(const char *text, size_t length);

/* Padded base64 without white space; false, with an empty buffer, if not. */
extern bool text_base64_decode(const char *text, Buffer *result);
extern char *text_base64_encode(const void *bytes, size_t length);

/* A decimal number with nothing before or behind it. */
extern bool text_parse_number(const char *text, int64_t minimum, int64_t maximum,
							  int64_t *result);

/* A number from 0 to 100, with a fraction or without. */
extern bool text_parse_percent(const char *text, double *result);

/* A random UUID into 37 bytes. */
extern void text_make_uuid(char *uuid);

#endif							/* EMULATOR_TEXT_H */
