/*
 * connection.h
 *		A connection: opened by libcurl, then ours to send and receive on.
 *
 * Nothing here knows what a connection is used for. Who holds one (pool.c) is
 * told when it is open, or could not be opened, and when epoll says something
 * of it.
 */
#ifndef IOTDATA_TRANSPORT_CONNECTION_H
#define IOTDATA_TRANSPORT_CONNECTION_H

#include "postgres.h"

#include "lib/ilist.h"
#include "transport/multi.h"
#include "transport/origin.h"

typedef enum IotDataConnectionFailure
{
	IOTDATA_CONNECTION_UNREACHABLE,
	IOTDATA_CONNECTION_NO_MEMORY,
	IOTDATA_CONNECTION_NO_DESCRIPTORS
} IotDataConnectionFailure;

typedef struct IotDataConnection
{
	IotDataWatch watch;			/* first; its fd is -1 until it is open */

	/* To be read. */
	IotDataOrigin *origin;
	int64		begun;			/* when it began to be opened, by
								 * iotdata_multi_now() */

	/* The holder's. */
	dlist_node	node;
	struct IotDataPoolUser *user;
	bool		reused;
	int64		idle_until;

	/* connection.c's */
	CURL	   *easy;
	bool		resolved;		/* while it was opened, a socket was asked for */
	bool		no_descriptors; /* and could not be had */
	char		reason[CURL_ERROR_SIZE];
} IotDataConnection;

/*
 * What the holder of all connections is told, outside libcurl. One that could
 * not be opened is still there; "reason" is a sentence without its full stop.
 */
typedef struct IotDataConnectionHolder
{
	void		(*opened) (IotDataConnection *connection);
	void		(*failed) (IotDataConnection *connection,
						   IotDataConnectionFailure failure,
						   const char *reason);
	void		(*ready) (IotDataConnection *connection, uint32 events);
} IotDataConnectionHolder;

/*
 * Make connections possible. Returns false when libcurl cannot be started for
 * want of memory or descriptors.
 */
extern bool iotdata_connections_open(const IotDataConnectionHolder *holder);

/*
 * A new connection, which is not begun to be opened yet; NULL without memory.
 * The two descriptors that opening may take, as libcurl may try two addresses
 * at once, must have been acquired; they are the connection's then, also when
 * this fails.
 */
extern IotDataConnection *iotdata_connection_create(IotDataOrigin *origin);

/*
 * Begin to open it, within "connect_timeout" milliseconds. The holder may be
 * told of its failure before this returns.
 */
extern void iotdata_connection_open(IotDataConnection *connection,
									long connect_timeout);

/* Close and free it, whatever is going on with it. */
extern void iotdata_connection_close(IotDataConnection *connection);

/* Has nothing come on it, neither bytes nor an end or an error? */
extern bool iotdata_connection_is_quiet(const IotDataConnection *connection);

/*
 * curl_easy_send and curl_easy_recv; "n" is 0 where nothing was sent, or
 * nothing came.
 */
extern CURLcode iotdata_connection_send(IotDataConnection *connection,
										const char *bytes, size_t length,
										size_t *n);
extern CURLcode iotdata_connection_receive(IotDataConnection *connection,
										   char *bytes, size_t size,
										   size_t *n);

/* What went wrong, in libcurl's words, when one of these gave "result". */
extern const char *iotdata_connection_reason(const IotDataConnection *connection,
											 CURLcode result);

/* Is the holder to be told when it can be written to, too? */
extern void iotdata_connection_await_writing(IotDataConnection *connection,
											 bool writing);

#endif							/* IOTDATA_TRANSPORT_CONNECTION_H */
