/*
 * command_line.h
 *		A command line as words, by the rules of a POSIX shell's quotes.
 */
#ifndef IOTDATA_AWS_COMMAND_LINE_H
#define IOTDATA_AWS_COMMAND_LINE_H

#include <stddef.h>

typedef enum IotDataCommandLineStatus
{
	IOTDATA_COMMAND_LINE_OK,
	IOTDATA_COMMAND_LINE_OPEN_QUOTE,	/* a quote that is not closed */
	IOTDATA_COMMAND_LINE_OPEN_ESCAPE,	/* a backslash at the end */
	IOTDATA_COMMAND_LINE_TOO_LONG	/* more words than there is room for */
} IotDataCommandLineStatus;

/*
 * Split a command line as AWS's CLI does on Linux (Python's shlex.split):
 * blanks between words; '...' as it stands; in "..." a backslash counts before
 * '"' and '\' only; elsewhere it takes what follows as it stands. Nothing else
 * means anything: no variables, no '|', no comments. The words are in "text",
 * which is changed. OK fills words[0 .. *count - 1], at most "size" of them.
 */
extern IotDataCommandLineStatus iotdata_command_line_split(char *text,
														   char **words,
														   size_t size,
														   size_t *count);

/* Why, as a sentence for an error's DETAIL. A constant string; NULL for OK. */
extern const char *iotdata_command_line_explain(IotDataCommandLineStatus status);

#endif							/* IOTDATA_AWS_COMMAND_LINE_H */
