/*
 * log.h
 *	  One line per event, where --log says; nothing at all without it.
 */
#ifndef EMULATOR_LOG_H
#define EMULATOR_LOG_H

#include <stdbool.h>

/* '-' is stderr.  False with errno set when the file cannot be opened. */
extern bool log_open(const char *path);
extern void log_close(void);

/* Ask before composing a line that costs something. */
extern bool log_enabled(void);

/* Written out when it returns. */
extern void log_event(const char *format,...) __attribute__((format(printf, 1, 2)));

/*
 * Text that came from the network, for a log line: bytes up to the space, and
 * DEL, become %XX, so that a line stays a line.  One of four static
 * buffers, used in turn.
 */
extern const char *log_text(const char *text);

#endif							/* EMULATOR_LOG_H */
