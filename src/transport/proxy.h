/*
 * proxy.h
 *		The proxy that the environment names.
 */
#ifndef IOTDATA_TRANSPORT_PROXY_H
#define IOTDATA_TRANSPORT_PROXY_H

#include "postgres.h"

#include "aws/endpoint.h"

#include <curl/curl.h>

/*
 * What the environment says of a proxy for an endpoint, word for word; "" when
 * there is none. It may have a password in it, and is never shown.
 */
extern const char *iotdata_proxy_find(const IotDataEndpoint *endpoint);

/*
 * Let a handle use a proxy. libcurl is given user and password apart from the
 * URL, so that none of its messages can have them. Returns
 * IOTDATA_PROXY_NOT_A_URL when the text is none, or has more than scheme, user,
 * password, host and port.
 */
#define IOTDATA_PROXY_NOT_A_URL CURLE_URL_MALFORMAT

extern CURLcode iotdata_proxy_set(CURL *easy, const char *proxy);

#endif							/* IOTDATA_TRANSPORT_PROXY_H */
