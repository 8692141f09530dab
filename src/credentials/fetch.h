/*
 * fetch.h
 *		One HTTP request to a place that gives out credentials.
 */
#ifndef IOTDATA_CREDENTIALS_FETCH_H
#define IOTDATA_CREDENTIALS_FETCH_H

#include "postgres.h"

#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "transport/transport.h"

typedef struct IotDataFetch
{
	IotDataEndpoint endpoint;
	const char *method;
	const char *path_and_query;
	const IotDataHeader *headers;	/* all but Host */
	int			nheaders;
	const char *body;			/* sent with POST only */
	long		timeout;		/* milliseconds */
	const char *ca_file;		/* "" = the system's */
} IotDataFetch;

typedef struct IotDataFetched
{
	int			http_status;
	const char *body;			/* NUL-terminated */
	size_t		length;
	bool		unreachable;	/* without an answer: no connection was made */
} IotDataFetched;

/*
 * Make the request, and wait for its answer: both of the functions below. All of
 * it is in the current memory context, and cleared when that is deleted. Returns NULL, or why there is no
 * answer, as a sentence. Raises what CHECK_FOR_INTERRUPTS raises.
 *
 * Calls may be in flight meanwhile: they are driven by the same wait, and what
 * has ended of them is found by whoever waits for them.
 */
extern const char *iotdata_fetch(const IotDataFetch *fetch, IotDataFetched *answer);

/*
 * Begin to. The answer is there when the transfer is no longer running, which
 * any wait for the network brings about. NULL: the HTTP library could not be
 * started. Of "fetch" nothing is read afterwards.
 */
extern IotDataTransfer *iotdata_fetch_begin(const IotDataFetch *fetch);

/* Wait for the rest; "transfer" may be NULL. */
extern const char *iotdata_fetch_end(IotDataTransfer *transfer, IotDataFetched *answer);

#endif							/* IOTDATA_CREDENTIALS_FETCH_H */
