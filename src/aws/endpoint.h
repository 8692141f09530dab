/*
 * endpoint.h
 *		Regions, the endpoint that belongs to one, and endpoint URLs.
 */
#ifndef IOTDATA_AWS_ENDPOINT_H
#define IOTDATA_AWS_ENDPOINT_H

#include "aws/buffer.h"

#define IOTDATA_HOST_SIZE 256	/* a host name is 253 bytes at most */
#define IOTDATA_AUTHORITY_SIZE (IOTDATA_HOST_SIZE + 8)	/* "[host]:65535" */

typedef enum IotDataEndpointStatus
{
	IOTDATA_ENDPOINT_OK,
	IOTDATA_ENDPOINT_BAD_REGION,	/* not a host label */
	IOTDATA_ENDPOINT_NO_DUALSTACK,	/* the region's partition has none */
	IOTDATA_ENDPOINT_NOT_A_URL, /* not scheme://host[:port][/] */
	IOTDATA_ENDPOINT_BAD_SCHEME,	/* neither https nor http */
	IOTDATA_ENDPOINT_BAD_HOST,
	IOTDATA_ENDPOINT_BAD_PORT,	/* not 1 to 65535 */
	IOTDATA_ENDPOINT_HAS_MORE,	/* user info, a path, a query or a fragment */
	IOTDATA_ENDPOINT_NOT_LOOPBACK	/* http to a host that is not loopback */
} IotDataEndpointStatus;

typedef struct IotDataEndpoint
{
	bool		https;
	bool		loopback;		/* localhost, 127.0.0.0/8 or ::1 */
	bool		link_local;		/* an address that no proxy leads to */
	char		host[IOTDATA_HOST_SIZE];	/* IPv6: no brackets */
	int			port;			/* the scheme's own when the URL names none */
	/* what the Host header says: no port when it is the scheme's own */
	char		authority[IOTDATA_AUTHORITY_SIZE];
} IotDataEndpoint;

/* Is it one host label: 1 to 63 of a-z A-Z 0-9 -, no - at either end? */
extern bool iotdata_region_is_valid(const char *region);

/*
 * The endpoint by rule: AWS's partitions, FIPS and dual-stack. Gives OK,
 * BAD_REGION or NO_DUALSTACK; fills "endpoint" only when OK.
 */
extern IotDataEndpointStatus iotdata_endpoint_for_region(IotDataEndpoint *endpoint,
														 const char *region,
														 bool fips,
														 bool dualstack);

/* The same for STS, which gives out credentials of roles. */
extern IotDataEndpointStatus iotdata_endpoint_for_sts(IotDataEndpoint *endpoint,
													  const char *region,
													  bool fips, bool dualstack);

/* The same for AWS IoT's control plane, which knows the account's endpoint. */
extern IotDataEndpointStatus iotdata_endpoint_for_control_plane(IotDataEndpoint *endpoint,
																const char *region,
																bool fips,
																bool dualstack);

/*
 * Is it one of AWS's own for a region, by rule or an account's: https, and
 * ...iot.REGION or ...iot-fips.REGION in the region's partition? Nobody else
 * answers there.
 */
extern bool iotdata_endpoint_is_of_region(const IotDataEndpoint *endpoint,
										  const char *region);

/*
 * An endpoint given as a URL: https://host, https://host:port, a trailing
 * slash is taken; http:// for loopback hosts only. The host stays as it is
 * given, upper case included; a name with a dot at its end is BAD_HOST, and so
 * is one that ends like an IPv4 address without being one ("127.1",
 * "0x7f000001"). Fills "endpoint" only when OK.
 */
extern IotDataEndpointStatus iotdata_endpoint_parse(IotDataEndpoint *endpoint,
													const char *url);

/* The same, with http for any host. */
extern IotDataEndpointStatus iotdata_endpoint_parse_any(IotDataEndpoint *endpoint,
														const char *url);

/*
 * Why, as a sentence for an error's DETAIL. A constant string; NULL for OK.
 */
extern const char *iotdata_endpoint_explain(IotDataEndpointStatus status);

#endif							/* IOTDATA_AWS_ENDPOINT_H */
