/*
 * multi.h
 *		The backend's one curl multi handle and its sockets, behind its latch.
 */
#ifndef IOTDATA_TRANSPORT_MULTI_H
#define IOTDATA_TRANSPORT_MULTI_H

#include "postgres.h"

#include <curl/curl.h>
#include <sys/epoll.h>

/*
 * Called for each easy handle that has ended, outside libcurl; it is still in
 * the multi handle. "private_data" is its CURLOPT_PRIVATE.
 */
typedef void (*IotDataMultiEnded) (void *private_data, CURLcode result);

/*
 * A socket that is not, or no longer, libcurl's to watch. "ready" is called,
 * outside libcurl, with what epoll says of it.
 */
typedef struct IotDataWatch
{
	int			fd;
	uint32		events;			/* EPOLLIN, EPOLLOUT; 0: it is not watched */
	void		(*ready) (struct IotDataWatch *watch, uint32 events);
} IotDataWatch;

/*
 * Make sure that the multi handle exists. Returns false when it cannot be had
 * (out of memory or of descriptors).
 */
extern bool iotdata_multi_open(IotDataMultiEnded ended);

/* Milliseconds of CLOCK_MONOTONIC. */
extern int64 iotdata_multi_now(void);

/*
 * Hand a handle over; it begins in the next iotdata_multi_run_timer. It belongs
 * to the multi handle until it is taken back and freed, whether it has ended
 * or not; with it goes its connection.
 */
extern CURLMcode iotdata_multi_add(CURL *easy);
extern void iotdata_multi_free(CURL *easy);

/*
 * Watch a socket for these events instead of any that it is watched for.
 * Returns false when the kernel has no memory for it.
 */
extern bool iotdata_multi_watch(IotDataWatch *watch, uint32 events);
extern void iotdata_multi_unwatch(IotDataWatch *watch);

/* Let libcurl do what its timer asks for now. */
extern void iotdata_multi_run_timer(void);

/*
 * Wait on the latch, the sockets and libcurl's timer, for "timeout"
 * milliseconds at the most (-1: no limit). Raises what CHECK_FOR_INTERRUPTS
 * raises.
 */
extern void iotdata_multi_sleep(long timeout, uint32 wait_event);

/* Deal with all sockets that are ready, and with libcurl's timer. */
extern void iotdata_multi_drive(void);

#endif							/* IOTDATA_TRANSPORT_MULTI_H */
