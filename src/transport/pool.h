/*
 * pool.h
 *		This backend's connections, and who gets which.
 *
 * Whoever needs a connection is an IotDataPoolUser, asks for one, and is called
 * back with it, or with why there is none. In the end it releases the
 * connection to be reused, or closes it.
 */
#ifndef IOTDATA_TRANSPORT_POOL_H
#define IOTDATA_TRANSPORT_POOL_H

#include "postgres.h"

#include "aws/endpoint.h"
#include "lib/ilist.h"
#include "transport/connection.h"

typedef struct IotDataPoolUser
{
	/*
	 * The user's: what is called, outside libcurl and not before
	 * iotdata_pool_acquire has returned. None of these raises errors.
	 *
	 * "connected": the connection is the user's now, and nothing has come on
	 * it that was not asked for. "failed": there is none, and "reason" is
	 * why, a sentence without its full stop, valid during the call. "ready":
	 * what epoll says of the user's connection.
	 */
	void		(*connected) (struct IotDataPoolUser *user);
	void		(*failed) (struct IotDataPoolUser *user,
						   IotDataConnectionFailure failure,
						   const char *reason);
	void		(*ready) (struct IotDataPoolUser *user, uint32 events);

	/* To be read. */
	IotDataConnection *connection;	/* its own, or being opened for it */
	int64		begun;			/* when it was given, or began to be opened */
	int			opened;			/* connections opened for the user so far */

	/* pool.c's. Zero at first. */
	dlist_node	node;			/* in the list of those who wait */
	bool		waits;
	bool		wants_new;
	IotDataOrigin *origin;
	long		connect_timeout;
} IotDataPoolUser;

/*
 * Make connections possible. Returns false when libcurl cannot be started for
 * want of memory or descriptors.
 */
extern bool iotdata_pool_open(void);

/*
 * Ask for a connection to an endpoint, with the authorities of "ca_file" ("" =
 * the system's), which may take "connect_timeout" milliseconds to be opened.
 * Returns false without memory. The user must live until it has none any more.
 */
extern bool iotdata_pool_acquire(IotDataPoolUser *user,
								 const IotDataEndpoint *endpoint,
								 const char *ca_file, long connect_timeout);

/*
 * Close the user's connection and ask again, for one that is opened for it, in
 * "connect_timeout" milliseconds.
 */
extern void iotdata_pool_replace(IotDataPoolUser *user, long connect_timeout);

/*
 * The user needs its connection no more, and it may be reused. The server leaves
 * it open for "idle_seconds" (-1: it did not say).
 */
extern void iotdata_pool_release(IotDataPoolUser *user, int idle_seconds);

/*
 * Close whatever the user has: its connection, or one that is being opened for
 * it. One that waits waits no more.
 */
extern void iotdata_pool_close(IotDataPoolUser *user);

/*
 * Give those who wait what they can have now, and let libcurl begin with what
 * is to be opened.
 */
extern void iotdata_pool_serve(void);

/* Close the idle connections that are too many to be kept. */
extern void iotdata_pool_trim(void);

#endif							/* IOTDATA_TRANSPORT_POOL_H */
