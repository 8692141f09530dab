/*
 * exchange.h
 *		A request sent, and its response received, over one connection.
 */
#ifndef IOTDATA_TRANSPORT_EXCHANGE_H
#define IOTDATA_TRANSPORT_EXCHANGE_H

#include "postgres.h"

#include "aws/http1.h"
#include "lib/ilist.h"
#include "transport/pool.h"
#include "transport/transport.h"

typedef struct IotDataExchange
{
	IotDataPoolUser user;		/* first */

	/*
	 * The caller's. "ended" is called once, at any time after
	 * iotdata_exchange_begin was, and must not raise an error.
	 */
	void		(*ended) (struct IotDataExchange *exchange);
	const char *request;		/* head and body, as they go on the wire */
	size_t		request_length;
	long		connect_timeout;	/* milliseconds */
	long		timeout;		/* milliseconds, from when it has a
								 * connection, or one begins to be opened */
	bool		send_once;

	/* To be read, once it has ended. */
	IotDataTransferStatus status;
	IotDataSent sent;
	IotDataHttp1 response;
	uint64		bytes_sent;
	uint64		bytes_received;

	/* exchange.c's. Zero at first. */
	dlist_node	node;			/* among those that are running */
	bool		running;
	bool		unread;			/* there may be more than was received */
	size_t		written;		/* of the request, on this connection */
	size_t		received;		/* bytes, on this connection */
	int64		deadline;
	char		reason[CURL_ERROR_SIZE];
} IotDataExchange;

/*
 * Begin an exchange, all of whose other members are zero, with a response that
 * may have "max_body" bytes.
 */
extern void iotdata_exchange_begin(IotDataExchange *exchange,
								   const IotDataEndpoint *endpoint,
								   const char *ca_file, size_t max_body);

/* End an exchange, wherever it is, and free what it holds. */
extern void iotdata_exchange_free(IotDataExchange *exchange);

/*
 * When one exchange runs alone, receive what there is for it, without asking
 * which socket is ready. Returns whether it is over; otherwise sockets are to
 * be asked.
 */
extern bool iotdata_exchange_receive_lone(void);

/*
 * Deal with those that are out of time, and go on with those that had more to
 * receive than a turn allows.
 */
extern void iotdata_exchanges_go_on(void);

/*
 * How many milliseconds there are until that must be called; -1 when nothing
 * runs.
 */
extern long iotdata_exchanges_time_left(void);

#endif							/* IOTDATA_TRANSPORT_EXCHANGE_H */
