/*
 * multi.h
 *		The backend's one curl multi handle, behind its latch.
 */
#ifndef IOTDATA_TRANSPORT_MULTI_H
#define IOTDATA_TRANSPORT_MULTI_H

#include "postgres.h"

#include <curl/curl.h>

/*
 * Called for each easy handle that has ended, outside libcurl; the handle has
 * been removed from the multi handle. "private_data" is its CURLOPT_PRIVATE.
 */
typedef void (*IotDataMultiFinished) (void *private_data, CURLcode result);

/*
 * Make sure that the multi handle exists. Returns false when it cannot be had
 * (out of memory or of descriptors).
 */
extern bool iotdata_multi_open(IotDataMultiFinished finished);

/* Hand a handle over; it begins now, or in the next iotdata_multi_wait. */
extern CURLMcode iotdata_multi_add(CURL *easy);

/* Take a handle back, whether it runs or has ended. */
extern void iotdata_multi_remove(CURL *easy);

/*
 * Keep so many idle connections at the most; libcurl's own limit would follow
 * the transfers that happen to be left, and close most after each burst.
 */
extern void iotdata_multi_keep(int connections);

/*
 * Let what was added begin; wait on the latch, the sockets and libcurl's
 * timer, for "timeout" milliseconds at the most (-1: no limit), unless
 * something has ended already; then go on.
 */
extern void iotdata_multi_wait(long timeout, uint32 wait_event);

#endif							/* IOTDATA_TRANSPORT_MULTI_H */
