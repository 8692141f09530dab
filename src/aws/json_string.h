/*
 * json_string.h
 *		A string of a JSON text.
 */
#ifndef IOTDATA_AWS_JSON_STRING_H
#define IOTDATA_AWS_JSON_STRING_H

#include <stddef.h>

/*
 * Read the string whose opening quote is at "*at" over itself: its "*length"
 * bytes of UTF-8 and a NUL are then behind the quote. "*at" goes past the
 * closing quote. The text ends with a NUL at "end". Returns NULL, or what is
 * wrong.
 */
extern const char *iotdata_json_unescape(char **at, const char *end, size_t *length);

#endif							/* IOTDATA_AWS_JSON_STRING_H */
