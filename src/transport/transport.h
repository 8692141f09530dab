/*
 * transport.h
 *		HTTP transfers that are waited for on the backend's latch.
 *
 * A transfer belongs to a memory context: when that is reset or deleted, the
 * transfer is taken out of libcurl's hands, wherever it was. Nothing here
 * raises an error but for interrupts, in iotdata_transport_wait, and for
 * PostgreSQL's own out-of-memory in iotdata_transfer_create.
 */
#ifndef IOTDATA_TRANSPORT_H
#define IOTDATA_TRANSPORT_H

#include "postgres.h"

#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "lib/ilist.h"

#include <time.h>

typedef enum IotDataTransferStatus
{
	IOTDATA_TRANSFER_IDLE,		/* not started */
	IOTDATA_TRANSFER_RUNNING,
	IOTDATA_TRANSFER_ANSWERED,	/* a whole answer, whatever its status code */
	IOTDATA_TRANSFER_UNREACHABLE,	/* no connection; nothing was sent */
	IOTDATA_TRANSFER_LOST,		/* the connection broke */
	IOTDATA_TRANSFER_TIMED_OUT, /* connected, but no whole answer in time */
	IOTDATA_TRANSFER_TOO_LARGE, /* more than max_response_size */
	IOTDATA_TRANSFER_MALFORMED, /* what came is not HTTP */
	IOTDATA_TRANSFER_NO_MEMORY,
	IOTDATA_TRANSFER_FAILED		/* libcurl would not take the request */
} IotDataTransferStatus;

/* What is to be sent. Only read while the transfer is started. */
typedef struct IotDataTransferRequest
{
	const IotDataEndpoint *endpoint;
	const char *method;
	const char *path_and_query; /* as it goes on the wire */
	const IotDataHeader *headers;
	int			nheaders;
	const void *body;			/* sent with POST only */
	size_t		body_length;
	const char *ca_file;		/* "" = the system's */
	long		connect_timeout;	/* milliseconds */
	long		timeout;		/* milliseconds, for the whole transfer */
	size_t		max_response_size;	/* bytes */
	bool		send_once;		/* never again after it may have been sent */
} IotDataTransferRequest;

typedef struct IotDataTransfer IotDataTransfer;

/*
 * A new transfer, owned by "context", after iotdata_transport_open. Returns
 * NULL when libcurl has no memory left.
 */
extern IotDataTransfer *iotdata_transfer_create(MemoryContext context);

/*
 * Start a transfer; when it has ended it is put at the tail of "finished",
 * which must live as long as the transfer. It can have ended, badly, when this
 * returns. "owner" is what iotdata_transfer_pop gives then. A transfer is
 * started once.
 */
extern void iotdata_transfer_start(IotDataTransfer *transfer,
								   const IotDataTransferRequest *request,
								   dlist_head *finished, void *owner);

/*
 * Make ready, with that many connections kept when they are idle. Returns
 * false when the HTTP library cannot be started.
 */
extern bool iotdata_transport_open(int connections);

/*
 * Wait until something happened to any transfer of this backend, the latch was
 * set, or "timeout" milliseconds are over (-1: no limit), and deal with it.
 * Raises what CHECK_FOR_INTERRUPTS raises.
 */
extern void iotdata_transport_wait(long timeout, uint32 wait_event);

/*
 * Take the transfer that ended first off a list, and return its owner; NULL
 * when the list is empty.
 */
extern void *iotdata_transfer_pop(dlist_head *finished);

extern IotDataTransferStatus iotdata_transfer_status(const IotDataTransfer *transfer);

/* May any of the request have reached the endpoint? */
extern bool iotdata_transfer_was_sent(const IotDataTransfer *transfer);

/* libcurl's words for what went wrong; "" when it had none. */
extern const char *iotdata_transfer_reason(const IotDataTransfer *transfer);

/* Of an answer: its status code, a header (NULL when absent) and the body. */
extern int	iotdata_transfer_http_status(const IotDataTransfer *transfer);
extern const char *iotdata_transfer_header(const IotDataTransfer *transfer,
										   const char *name);
extern const char *iotdata_transfer_body(const IotDataTransfer *transfer,
										 size_t *length);

/* An answer's Date, as seconds of Unix time; -1 when it has none. */
extern time_t iotdata_transfer_date(const IotDataTransfer *transfer);

/* What a transfer that has ended took. */
typedef struct IotDataTransferCost
{
	uint64		bytes_sent;
	uint64		bytes_received;
	int			connections_opened;
} IotDataTransferCost;

extern IotDataTransferCost iotdata_transfer_cost(const IotDataTransfer *transfer);

#endif							/* IOTDATA_TRANSPORT_H */
