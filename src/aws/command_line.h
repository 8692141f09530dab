/*
 * command_line.h
 *		A command line split into words, as AWS's CLI splits that of a
 *		credential_process.
 */
#ifndef IOTDATA_AWS_COMMAND_LINE_H
#define IOTDATA_AWS_COMMAND_LINE_H

#include "aws/buffer.h"

/*
 * Split "length" bytes into words; no shell sees them, and nothing but quotes
 * and escapes has a meaning. Blanks, tabs, CR and LF separate words. In single
 * quotes every byte stands for itself; in double quotes a backslash escapes
 * '"' and itself, and stays where it stands before anything else; outside it
 * escapes every byte, a line end too. '' and "" are an empty word.
 *
 * Appends the words one after the other, each with a NUL behind it; they take
 * "length" + 1 bytes at most, and the buffer one more. Returns how many there
 * are, 0 for a line of nothing but blanks, or -1 with *why set to a constant
 * phrase in lower case: a quote that is not closed, a backslash at the end, a
 * NUL, a buffer that is too small. The buffer is of no use then.
 */
extern int	iotdata_command_line_split(IotDataBuffer *words,
									   const char *text, size_t length,
									   const char **why);

#endif							/* IOTDATA_AWS_COMMAND_LINE_H */
