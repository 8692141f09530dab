/*
 * endpoint.c
 *		Regions, the endpoint that belongs to one, and endpoint URLs.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws/endpoint.h"

#define MAX_LABEL 63			/* bytes of one label of a host */
#define MAX_NAME 253			/* bytes of a whole name */
#define MAX_PORT_DIGITS 5
#define HTTPS_PORT 443
#define HTTP_PORT 80

typedef struct Partition
{
	const char *prefix;			/* of the names of its regions */
	const char *suffix;
	const char *dualstack_suffix;	/* NULL: it has no dual-stack */
} Partition;

/*
 * AWS's partitions; the last one is that of every region that is in none of
 * the others.
 */
static const Partition partitions[] = {
	{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
	{"us-gov-", "amazonaws.com", "api.aws"},
	{"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
	{"us-iso-", "c2s.ic.gov", NULL},
	{"us-isob-", "sc2s.sgov.gov", NULL},
	{"eu-isoe-", "cloud.adc-e.uk", NULL},
	{"us-isof-", "csp.hci.ic.gov", NULL},
	{"", "amazonaws.com", "api.aws"}
};

/* Regions whose FIPS endpoint carries an older name than that of the others. */
static const char *const older_fips_regions[] = {
	"ca-central-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	"us-gov-east-1", "us-gov-west-1", NULL
};

/* None of these is ctype.h's: the answer must not depend on the locale. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

bool
iotdata_region_is_valid(const char *region)
{
	size_t		length = strnlen(region, MAX_LABEL + 1);

	if (length == 0 || length > MAX_LABEL ||
		region[0] == '-' || region[length - 1] == '-')
		return false;
	for (size_t at = 0; at < length; at++)
	{
		if (!is_alphanumeric(region[at]) && region[at] != '-')
			return false;
	}
	return true;
}

static const Partition *
partition_of(const char *region)
{
	const Partition *partition = partitions;

	while (strncmp(region, partition->prefix, strlen(partition->prefix)) != 0)
		partition++;
	return partition;
}

static bool
has_older_fips_name(const char *region)
{
	for (const char *const *older = older_fips_regions; *older != NULL; older++)
	{
		if (strcmp(region, *older) == 0)
			return true;
	}
	return false;
}

/* What stands before the region in the name of its endpoint. */
static const char *
data_plane_name(const char *region, bool fips, bool dualstack)
{
	if (fips && !dualstack && has_older_fips_name(region))
		return "data.iot-fips";
	if (fips)
		return "data-ats.iot-fips";
	if (!dualstack && strcmp(region, "cn-north-1") == 0)
		return "data.ats.iot";
	return "data-ats.iot";
}

static void
name_endpoint(IotDataEndpoint *endpoint, const char *name, const char *region,
			  const char *suffix)
{
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->https = true;
	endpoint->port = HTTPS_PORT;
	snprintf(endpoint->host, sizeof(endpoint->host), "%s.%s.%s", name, region, suffix);
	snprintf(endpoint->authority, sizeof(endpoint->authority), "%s",
			 endpoint->host);
}

/* "name" is what stands before the region; NULL: the Data Plane's. */
static IotDataEndpointStatus
find_endpoint(IotDataEndpoint *endpoint, const char *name, const char *region,
			  bool fips, bool dualstack)
{
	const Partition *partition;

	if (!iotdata_region_is_valid(region))
		return IOTDATA_ENDPOINT_BAD_REGION;
	partition = partition_of(region);
	if (dualstack && partition->dualstack_suffix == NULL)
		return IOTDATA_ENDPOINT_NO_DUALSTACK;

	name_endpoint(endpoint, name != NULL ? name : data_plane_name(region, fips, dualstack),
				  region, dualstack ? partition->dualstack_suffix : partition->suffix);
	return IOTDATA_ENDPOINT_OK;
}

IotDataEndpointStatus
iotdata_endpoint_for_region(IotDataEndpoint *endpoint, const char *region,
							bool fips, bool dualstack)
{
	return find_endpoint(endpoint, NULL, region, fips, dualstack);
}

IotDataEndpointStatus
iotdata_endpoint_for_sts(IotDataEndpoint *endpoint, const char *region,
						 bool fips, bool dualstack)
{
	bool		is_fips_anyway = strncmp(region, "us-gov-", strlen("us-gov-")) == 0 && !dualstack;

	return find_endpoint(endpoint, fips && !is_fips_anyway ? "sts-fips" : "sts", region, fips,
						 dualstack);
}

IotDataEndpointStatus
iotdata_endpoint_for_control_plane(IotDataEndpoint *endpoint, const char *region,
								   bool fips, bool dualstack)
{
	return find_endpoint(endpoint, fips ? "iot-fips" : "iot", region, fips, dualstack);
}

/* What follows ".SERVICE.REGION." in a host; NULL when that is not in it. */
static const char *
after_region(const char *host, const char *service, const char *region)
{
	char		infix[MAX_LABEL + sizeof("..iot-fips.")];
	const char *found;

	snprintf(infix, sizeof(infix), ".%s.%s.", service, region);
	found = strstr(host, infix);
	return found != NULL ? found + strlen(infix) : NULL;
}

bool
iotdata_endpoint_is_of_region(const IotDataEndpoint *endpoint, const char *region)
{
	static const char *const services[] = {"iot", "iot-fips", NULL};

	if (!endpoint->https || !iotdata_region_is_valid(region) ||
		strcmp(endpoint->authority, endpoint->host) != 0)
		return false;
	for (const char *const *service = services; *service != NULL; service++)
	{
		const char *rest = after_region(endpoint->host, *service, region);
		const Partition *partition = partition_of(region);

		if (rest != NULL &&
			(strcmp(rest, partition->suffix) == 0 ||
			 (partition->dualstack_suffix != NULL &&
			  strcmp(rest, partition->dualstack_suffix) == 0)))
			return true;
	}
	return false;
}

/*
 * Read "https://" or "http://" at *cursor and go past it. That a scheme's
 * name is well-formed tells another scheme from what is not a URL at all.
 */
static IotDataEndpointStatus
parse_scheme(IotDataEndpoint *endpoint, const char **cursor)
{
	const char *scheme = *cursor;
	size_t		length = 0;

	while (is_alphanumeric(scheme[length]) ||
		   (scheme[length] != '\0' && strchr("+-.", scheme[length]) != NULL))
		length++;
	if (length == 0 || is_digit(scheme[0]) || !is_alphanumeric(scheme[0]) ||
		strncmp(scheme + length, "://", 3) != 0)
		return IOTDATA_ENDPOINT_NOT_A_URL;

	if (length == 5 && strncasecmp(scheme, "https", length) == 0)
		endpoint->https = true;
	else if (length == 4 && strncasecmp(scheme, "http", length) == 0)
		endpoint->https = false;
	else
		return IOTDATA_ENDPOINT_BAD_SCHEME;
	*cursor = scheme + length + 3;
	return IOTDATA_ENDPOINT_OK;
}

/* Is it a number: digits, or 0x and hex digits? */
static bool
is_number(const char *label, size_t length)
{
	bool		hex = (length >= 2 && label[0] == '0' &&
					   (label[1] == 'x' || label[1] == 'X'));

	return hex ? strspn(label + 2, "0123456789abcdefABCDEF") >= length - 2 :
		strspn(label, "0123456789") >= length;
}

/*
 * Is it a host name, or an IPv4 address? A name of which the last label is a
 * number is neither: resolvers take "127.1" and "0x7f000001" for addresses, so
 * a name that ends so must be an address in full.
 */
static bool
host_is_valid(const char *host)
{
	const char *label = host;
	struct in_addr ipv4;

	for (;;)
	{
		size_t		length = 0;

		while (is_alphanumeric(label[length]) || label[length] == '-' ||
			   label[length] == '_')
			length++;
		if (length == 0 || length > MAX_LABEL)
			return false;
		if (label[length] == '\0')
			return !is_number(label, length) ||
				inet_pton(AF_INET, host, &ipv4) == 1;
		if (label[length] != '.')
			return false;
		label += length + 1;
	}
}

/* 169.254.0.0/16, fe80::/10, and EC2's own fd00:ec2::/32 */
static bool
host_is_link_local(const char *host)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (inet_pton(AF_INET, host, &ipv4) == 1)
		return (ntohl(ipv4.s_addr) >> 16) == 0xa9fe;
	return inet_pton(AF_INET6, host, &ipv6) == 1 &&
		(IN6_IS_ADDR_LINKLOCAL(&ipv6) || memcmp(&ipv6, "\xfd\x00\x0e\xc2", 4) == 0);
}

static bool
host_is_loopback(const char *host, bool bracketed)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (bracketed)
		return inet_pton(AF_INET6, host, &ipv6) == 1 &&
			IN6_IS_ADDR_LOOPBACK(&ipv6);
	if (strcasecmp(host, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, host, &ipv4) == 1 &&
		(ntohl(ipv4.s_addr) >> 24) == 127;
}

/*
 * Read the host out of the "length" bytes at *cursor and go past it, its
 * brackets included.
 */
static IotDataEndpointStatus
parse_host(IotDataEndpoint *endpoint, const char **cursor, size_t length)
{
	bool		bracketed = (length > 0 && **cursor == '[');
	const char *begin = *cursor + (bracketed ? 1 : 0);
	const char *end = memchr(*cursor, bracketed ? ']' : ':', length);
	struct in6_addr ipv6;
	size_t		host_length;

	if (end == NULL && bracketed)
		return IOTDATA_ENDPOINT_BAD_HOST;
	if (end == NULL)
		end = *cursor + length;
	host_length = (size_t) (end - begin);
	if (host_length == 0 || host_length > MAX_NAME)
		return IOTDATA_ENDPOINT_BAD_HOST;
	memcpy(endpoint->host, begin, host_length);
	endpoint->host[host_length] = '\0';

	if (bracketed ? inet_pton(AF_INET6, endpoint->host, &ipv6) != 1
		: !host_is_valid(endpoint->host))
		return IOTDATA_ENDPOINT_BAD_HOST;
	endpoint->loopback = host_is_loopback(endpoint->host, bracketed);
	endpoint->link_local = host_is_link_local(endpoint->host);
	*cursor = end + (bracketed ? 1 : 0);
	return IOTDATA_ENDPOINT_OK;
}

/* Read what follows the host: nothing, or ':' and a port. */
static IotDataEndpointStatus
parse_port(IotDataEndpoint *endpoint, const char *text, size_t length)
{
	endpoint->port = endpoint->https ? HTTPS_PORT : HTTP_PORT;
	if (length == 0)
		return IOTDATA_ENDPOINT_OK;
	if (text[0] != ':')
		return IOTDATA_ENDPOINT_BAD_HOST;	/* "[::1]x" */
	if (length > 1 + MAX_PORT_DIGITS)
		return IOTDATA_ENDPOINT_BAD_PORT;

	endpoint->port = 0;			/* and so it stays for ":" alone */
	for (size_t at = 1; at < length; at++)
	{
		if (!is_digit(text[at]))
			return IOTDATA_ENDPOINT_BAD_PORT;
		endpoint->port = endpoint->port * 10 + (text[at] - '0');
	}
	if (endpoint->port < 1 || endpoint->port > 65535)
		return IOTDATA_ENDPOINT_BAD_PORT;
	return IOTDATA_ENDPOINT_OK;
}

static void
set_authority(IotDataEndpoint *endpoint)
{
	bool		ipv6 = (strchr(endpoint->host, ':') != NULL);
	char		port[sizeof(":65535")] = "";

	if (endpoint->port != (endpoint->https ? HTTPS_PORT : HTTP_PORT))
		snprintf(port, sizeof(port), ":%u",
				 (unsigned int) endpoint->port & 0xffff);
	snprintf(endpoint->authority, sizeof(endpoint->authority), "%s%s%s%s",
			 ipv6 ? "[" : "", endpoint->host, ipv6 ? "]" : "", port);
}

IotDataEndpointStatus
iotdata_endpoint_parse_any(IotDataEndpoint *endpoint, const char *url)
{
	IotDataEndpoint parsed = {0};
	const char *cursor = url;
	const char *end;
	IotDataEndpointStatus status;

	status = parse_scheme(&parsed, &cursor);
	if (status != IOTDATA_ENDPOINT_OK)
		return status;

	end = cursor + strcspn(cursor, "/?#");
	if ((end[0] != '\0' && strcmp(end, "/") != 0) ||
		memchr(cursor, '@', (size_t) (end - cursor)) != NULL)
		return IOTDATA_ENDPOINT_HAS_MORE;

	status = parse_host(&parsed, &cursor, (size_t) (end - cursor));
	if (status == IOTDATA_ENDPOINT_OK)
		status = parse_port(&parsed, cursor, (size_t) (end - cursor));
	if (status != IOTDATA_ENDPOINT_OK)
		return status;
	set_authority(&parsed);
	*endpoint = parsed;
	return IOTDATA_ENDPOINT_OK;
}

IotDataEndpointStatus
iotdata_endpoint_parse(IotDataEndpoint *endpoint, const char *url)
{
	IotDataEndpoint parsed;
	IotDataEndpointStatus status = iotdata_endpoint_parse_any(&parsed, url);

	if (status != IOTDATA_ENDPOINT_OK)
		return status;
	if (!parsed.https && !parsed.loopback)
		return IOTDATA_ENDPOINT_NOT_LOOPBACK;
	*endpoint = parsed;
	return IOTDATA_ENDPOINT_OK;
}

const char *
iotdata_endpoint_explain(IotDataEndpointStatus status)
{
	switch (status)
	{
		case IOTDATA_ENDPOINT_OK:
			break;
		case IOTDATA_ENDPOINT_BAD_REGION:
			return "A region is 1 to 63 letters, digits and hyphens, without a hyphen at either end.";
		case IOTDATA_ENDPOINT_NO_DUALSTACK:
			return "The region's partition has no dual-stack endpoints.";
		case IOTDATA_ENDPOINT_NOT_A_URL:
			return "An endpoint has the form https://host or https://host:port.";
		case IOTDATA_ENDPOINT_BAD_SCHEME:
			return "The scheme must be https, or http for a loopback host.";
		case IOTDATA_ENDPOINT_BAD_HOST:
			return "The host must be a host name, an IPv4 address, or an IPv6 address in brackets.";
		case IOTDATA_ENDPOINT_BAD_PORT:
			return "The port must be a number from 1 to 65535.";
		case IOTDATA_ENDPOINT_HAS_MORE:
			return "An endpoint has no user name, path, query or fragment.";
		case IOTDATA_ENDPOINT_NOT_LOOPBACK:
			return "Only a loopback host (localhost, 127.0.0.0/8 or [::1]) can be used with http.";
	}
	return NULL;
}
