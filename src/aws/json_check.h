/*
 * json_check.h
 *		The tokens of a JSON text, checked before json-c reads it.
 */
#ifndef IOTDATA_AWS_JSON_CHECK_H
#define IOTDATA_AWS_JSON_CHECK_H

#include <stddef.h>

/* Most arrays and objects that can be open at once. */
#define IOTDATA_JSON_MAX_DEPTH 32

/*
 * Check every token of "length" bytes against RFC 8259, and what this
 * extension asks beyond it: no NUL in a string, no integer beyond 64 bits, no
 * deeper nesting than above. Of the order of tokens only one thing is looked
 * at: that no comma is the last in an array or object. Takes a constant amount
 * of stack, and a time that grows with the length alone. Returns NULL, or what is wrong as a
 * constant phrase in lower case.
 */
extern const char *iotdata_json_check(const char *text, size_t length);

#endif							/* IOTDATA_AWS_JSON_CHECK_H */
