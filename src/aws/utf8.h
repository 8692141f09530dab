/*
 * utf8.h
 *		UTF-8, character by character.
 */
#ifndef IOTDATA_AWS_UTF8_H
#define IOTDATA_AWS_UTF8_H

#include <stddef.h>

/*
 * How many bytes has the character that begins the "left" bytes at "at"? 0
 * when that is not UTF-8: longer than it need be, a surrogate, beyond
 * U+10FFFF, cut off (The Unicode Standard, table 3-7), or when "left" is 0.
 */
extern size_t iotdata_utf8_length(const char *at, size_t left);

#endif							/* IOTDATA_AWS_UTF8_H */
