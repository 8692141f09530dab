/*
 * authorities.h
 *		Which certificate authorities may vouch for a server.
 */
#ifndef IOTDATA_TRANSPORT_AUTHORITIES_H
#define IOTDATA_TRANSPORT_AUTHORITIES_H

#include "postgres.h"

#include <curl/curl.h>

/*
 * Let a handle trust the authorities of a file ("" = the system's), as the
 * file is now. What libcurl has read of it before is used as long as the file
 * is the same. "now" is in milliseconds of CLOCK_MONOTONIC.
 */
extern CURLcode iotdata_authorities_set(CURL *easy, const char *ca_file,
										int64 now);

#endif							/* IOTDATA_TRANSPORT_AUTHORITIES_H */
