/*
 * topic.h
 *	  Topic names and topic filters: what is valid, and what matches.
 */
#ifndef EMULATOR_TOPIC_H
#define EMULATOR_TOPIC_H

#include <stdbool.h>

/* AWS's limits. */
#define TOPIC_MAX_BYTES 256
#define TOPIC_MAX_SLASHES 7

/* 1 to 256 bytes, at most 7 slashes, no wildcards. */
extern bool topic_is_name(const char *topic);

/* The same length; '+' and '#' only as a whole level, '#' only as the last. */
extern bool topic_is_filter(const char *filter);

extern bool topic_has_wildcard(const char *filter);

/* A filter that begins with a wildcard does not match a '$' topic. */
extern bool topic_matches(const char *filter, const char *topic);

#endif							/* EMULATOR_TOPIC_H */
