/*
 * transport.h
 *		HTTP transfers that are waited for on the backend's latch.
 *
 * A transfer is a request and its response, over a connection of this backend
 * that nobody else uses meanwhile. It belongs to a memory context: when that is
 * reset or deleted, the transfer is over, wherever it was, and its connection
 * closed. Nothing here raises an error but for interrupts, in
 * iotdata_transport_wait, and for PostgreSQL's own out-of-memory.
 *
 * From the top down: transfer.c (what is declared here), exchange.c (a request
 * sent, its response received), pool.c (who gets which connection),
 * connection.c and opening.c (libcurl opens them), multi.c (the sockets behind
 * the latch).
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
	IOTDATA_TRANSFER_UNREACHABLE,	/* no connection */
	IOTDATA_TRANSFER_LOST,		/* the connection broke */
	IOTDATA_TRANSFER_TIMED_OUT, /* connected, but no whole answer in time */
	IOTDATA_TRANSFER_TOO_LARGE, /* more than max_response_size */
	IOTDATA_TRANSFER_MALFORMED, /* what came is not an HTTP response */
	IOTDATA_TRANSFER_NO_MEMORY,
	IOTDATA_TRANSFER_NO_DESCRIPTORS,
	IOTDATA_TRANSFER_FAILED		/* not a request that can be written */
} IotDataTransferStatus;

/*
 * How much of a request may have reached the other side. What to do about a
 * transfer that went wrong follows from this alone.
 */
typedef enum IotDataSent
{
	IOTDATA_SENT_NOTHING,
	IOTDATA_SENT_SOME,
	IOTDATA_SENT_ALL
} IotDataSent;

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
	bool		send_once;		/* an action: not sent again by itself */
} IotDataTransferRequest;

typedef struct IotDataTransfer IotDataTransfer;

/* A new transfer, owned by "context", after iotdata_transport_open. */
extern IotDataTransfer *iotdata_transfer_create(MemoryContext context);

/*
 * Start a transfer; when it has ended it is put at the tail of "finished",
 * which must live as long as the transfer. It can have ended, badly, when this
 * returns. "owner" is what iotdata_transfer_pop gives then. A transfer is
 * started once.
 *
 * What a broken connection that was used before may have lost of a read is sent
 * again at once, on a new connection. With "send_once" that is done only when
 * nothing of the request was sent.
 */
extern void iotdata_transfer_start(IotDataTransfer *transfer,
								   const IotDataTransferRequest *request,
								   dlist_head *finished, void *owner);

/*
 * Make ready for transfers in contexts below "context"; when that goes, idle
 * connections that are too many to be kept are closed. Returns false when the
 * HTTP library cannot be started.
 */
extern bool iotdata_transport_open(MemoryContext context);

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

extern IotDataSent iotdata_transfer_sent(const IotDataTransfer *transfer);

/* What went wrong, as a sentence without its full stop. */
extern const char *iotdata_transfer_reason(const IotDataTransfer *transfer);

/*
 * Of an answer: its status code, a header (NULL when absent) and the body. A
 * transfer without an answer has no headers.
 */
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
