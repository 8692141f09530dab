/*
 * iso8601.h
 *		Times as AWS's services write them: "2026-06-01T12:00:00Z".
 */
#ifndef IOTDATA_AWS_ISO8601_H
#define IOTDATA_AWS_ISO8601_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Seconds of Unix time. A fraction of a second is left out; the zone is Z or
 * +hh:mm, +hhmm, -hh:mm, -hhmm. Returns false when the text is anything else.
 */
extern bool iotdata_iso8601_parse(const char *text, int64_t *seconds);

#endif							/* IOTDATA_AWS_ISO8601_H */
