/*
 * child.h
 *		A program that the backend runs, and what it prints.
 */
#ifndef IOTDATA_CREDENTIALS_CHILD_H
#define IOTDATA_CREDENTIALS_CHILD_H

#include "postgres.h"

/* How a program's run came to its end. */
typedef enum IotDataChildEnd
{
	IOTDATA_CHILD_ENDED,		/* by itself: see status */
	IOTDATA_CHILD_NOT_STARTED,	/* see error_number */
	IOTDATA_CHILD_TIMED_OUT,
	IOTDATA_CHILD_TOO_MUCH,		/* printed more than there is room for */
	IOTDATA_CHILD_LOST			/* somebody else has learned how it ended */
} IotDataChildEnd;

/* Its output is cleared when the memory context that it was made in goes. */
typedef struct IotDataChildResult
{
	IotDataChildEnd end;
	int			error_number;
	int			status;			/* as waitpid gives it */
	char	   *out;			/* NUL-terminated */
	size_t		out_length;
	char	   *errors;			/* the first of what it said on stderr */
	size_t		errors_length;
} IotDataChildResult;

/*
 * Run a program, which is looked for as execvp does, in a process group of its
 * own, without input, and with no descriptor, signal mask or ignored signal of
 * this backend. Returns when it has ended, even if others still hold its output
 * open; when "timeout" milliseconds are over; or when it has printed more than
 * "largest" bytes. Then, and when an interrupt is raised, what is left of its
 * group is killed (not if it has ended by itself), and it is waited for.
 */
extern IotDataChildResult iotdata_child_run(char *const *words, long timeout,
											size_t largest);

#endif							/* IOTDATA_CREDENTIALS_CHILD_H */
