/*
 * iso8601.h
 *		Times as AWS's answers have them.
 */
#ifndef IOTDATA_AWS_ISO8601_H
#define IOTDATA_AWS_ISO8601_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Read "2026-11-26T05:00:00Z", exactly "length" bytes of it, as seconds of
 * Unix time (ISO 8601, the forms that RFC 3339 has and some more): a fraction
 * after '.' or ',' is left out; for the 'T' there may be a 't' or a blank, for
 * the 'Z' a 'z' or an offset (+01:00, +0100, +01). Second 60 is the one after
 * 59. Returns false for anything else, a time without 'Z' or offset too, and
 * leaves *seconds as it was.
 */
extern bool iotdata_iso8601_parse(const char *text, size_t length,
								  int64_t *seconds);

#endif							/* IOTDATA_AWS_ISO8601_H */
