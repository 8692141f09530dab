/*
 * opening.h
 *		How libcurl is to open a connection, and why it could not.
 */
#ifndef IOTDATA_TRANSPORT_OPENING_H
#define IOTDATA_TRANSPORT_OPENING_H

#include "postgres.h"

#include "transport/origin.h"

#include <curl/curl.h>

/* how long libcurl knows the addresses of a name, in seconds */
#define IOTDATA_NAME_KNOWN 60

/*
 * Set up a handle to connect to an origin within "connect_timeout" milliseconds,
 * and to do no more. "now" is in milliseconds of CLOCK_MONOTONIC.
 */
extern CURLcode iotdata_opening_prepare(CURL *easy, const IotDataOrigin *origin,
										long connect_timeout, int64 now);

/*
 * Why a connection could not be opened, as a sentence without its full stop.
 * "said" is what libcurl has left in its error buffer. A proxy's password is in
 * none of it.
 */
extern void iotdata_opening_explain(CURL *easy, CURLcode result,
									const char *said,
									char reason[CURL_ERROR_SIZE]);

#endif							/* IOTDATA_TRANSPORT_OPENING_H */
