/*
 * http1.h
 *		Responses of HTTP/1.0 and HTTP/1.1 (RFC 9112), read as they come.
 *
 * Bytes are fed in pieces of any size: how a response is split changes nothing
 * about what is read from it. It is a response to anything but HEAD and
 * CONNECT, without compression.
 *
 * What two readers could take for different responses is refused: folded
 * lines, control characters (a bare CR is one), different lengths, a length
 * together with chunks, a transfer coding other than chunked, and more bytes
 * than belong to the response. A bare LF ends a line of a head, or of a
 * trailer, as the RFC allows: nobody reads the response after us whom that
 * could mislead. Around chunks, where the RFC does not, it is refused.
 *
 * Memory comes from malloc and is bounded: heads (those of interim responses
 * too), trailers and chunk extensions together by IOTDATA_HTTP1_MAX_HEAD, the
 * body by what the caller says.
 */
#ifndef IOTDATA_AWS_HTTP1_H
#define IOTDATA_AWS_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IOTDATA_HTTP1_MAX_HEAD (64 * 1024)

typedef enum IotDataHttp1State
{
	IOTDATA_HTTP1_INCOMPLETE,	/* more must come */
	IOTDATA_HTTP1_COMPLETE,
	IOTDATA_HTTP1_MALFORMED,
	IOTDATA_HTTP1_TOO_LARGE,	/* the body */
	IOTDATA_HTTP1_NO_MEMORY
} IotDataHttp1State;

/* What comes next. */
typedef enum IotDataHttp1Part
{
	IOTDATA_HTTP1_STATUS_LINE,
	IOTDATA_HTTP1_HEADER,
	IOTDATA_HTTP1_BODY,			/* of a known length */
	IOTDATA_HTTP1_BODY_TO_CLOSE,
	IOTDATA_HTTP1_CHUNK_SIZE,
	IOTDATA_HTTP1_CHUNK,
	IOTDATA_HTTP1_CHUNK_END,
	IOTDATA_HTTP1_TRAILER
} IotDataHttp1Part;

/* A response. Its members are read through the functions below. */
typedef struct IotDataHttp1
{
	IotDataHttp1State state;
	const char *problem;
	IotDataHttp1Part part;
	size_t		max_body;

	/*
	 * The headers that are complete, each as "name\0value\0", and behind
	 * them, from line_begin, as much as has come of the present line.
	 */
	char	   *head;
	size_t		head_size;
	size_t		head_length;
	size_t		line_begin;
	size_t		overhead;		/* complete lines so far, in bytes */

	int			http_status;
	bool		is_http_1_1;
	bool		has_length;
	bool		chunked;
	bool		close;			/* "Connection: close" */
	bool		keep_alive;		/* "Connection: keep-alive" */
	uint64_t	length;			/* Content-Length */
	uint64_t	left;			/* bytes of the body, or of the chunk, to come */

	char	   *body;
	size_t		body_size;
	size_t		body_length;
} IotDataHttp1;

/* Begin a response whose body may have "max_body" bytes. Allocates nothing. */
extern void iotdata_http1_init(IotDataHttp1 *response, size_t max_body);

/* Free what a response holds. It may be begun again then. */
extern void iotdata_http1_free(IotDataHttp1 *response);

/*
 * Take the next bytes, and return the state. A state other than INCOMPLETE and
 * COMPLETE is final. A complete response that is fed more is malformed.
 */
extern IotDataHttp1State iotdata_http1_feed(IotDataHttp1 *response,
											const char *bytes, size_t length);

/*
 * No more will come, because the server has closed the connection in order.
 * That completes a body without a length; a response that is incomplete
 * stays so.
 */
extern IotDataHttp1State iotdata_http1_end(IotDataHttp1 *response);

/* Why it is malformed: a phrase in lower case, a constant. */
extern const char *iotdata_http1_problem(const IotDataHttp1 *response);

/* ---- of a response that is complete ---- */

/* 200 to 999 */
extern int	iotdata_http1_status(const IotDataHttp1 *response);

/*
 * The value of a header, without blanks around it; of the first one when there
 * are several of the name, in which case does not matter. NULL when there is
 * none. Trailers are not among the headers.
 */
extern const char *iotdata_http1_header(const IotDataHttp1 *response,
										const char *name);

/* The body; never NULL, and without a NUL behind it. */
extern const char *iotdata_http1_body(const IotDataHttp1 *response,
									  size_t *length);

/* May another request be sent on the connection that it came on? */
extern bool iotdata_http1_keeps_alive(const IotDataHttp1 *response);

/*
 * For how many seconds the server says that it leaves an idle connection open
 * ("Keep-Alive: timeout=5"), a day at the most; -1 when it does not say.
 */
extern int	iotdata_http1_idle_seconds(const IotDataHttp1 *response);

#endif							/* IOTDATA_AWS_HTTP1_H */
