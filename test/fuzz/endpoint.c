/*
 * endpoint.c
 *		Regions and endpoint URLs: what is accepted reads again as the same, and
 *		libcurl, which is given it, understands the same by it.
 */
#include <curl/curl.h>
#include <ctype.h>

#include "aws/endpoint.h"
#include "fuzz.h"

static bool
same(const IotDataEndpoint *a, const IotDataEndpoint *b)
{
	return a->https == b->https && a->loopback == b->loopback &&
		a->port == b->port && strcmp(a->host, b->host) == 0 &&
		strcmp(a->authority, b->authority) == 0;
}

/* To be given to curl_free. */
static char *
part(CURLU *url, CURLUPart which)
{
	char	   *value;

	CHECK(curl_url_get(url, which, &value, CURLU_DEFAULT_PORT) == CURLUE_OK);
	return value;
}

/* Would libcurl go where we say? */
static void
check_with_curl(const IotDataEndpoint *endpoint, const char *url)
{
	CURLU	   *parsed = curl_url();
	bool		ipv6 = (strchr(endpoint->host, ':') != NULL);
	char		expected[IOTDATA_HOST_SIZE + 2];
	char	   *host;
	char	   *port;

	CHECK(parsed != NULL);
	CHECK(curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK);
	host = part(parsed, CURLUPART_HOST);
	port = part(parsed, CURLUPART_PORT);
	snprintf(expected, sizeof(expected), "%s%s%s", ipv6 ? "[" : "", endpoint->host, ipv6 ? "]" : "");
	/* it writes IPv6 addresses in its own way */
	CHECK(ipv6 ? host[0] == '[' : strcasecmp(host, expected) == 0);
	CHECK(atoi(port) == endpoint->port);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parsed);
}

/* What must hold of every endpoint, and of its URL. */
static void
check_endpoint(const IotDataEndpoint *endpoint)
{
	IotDataEndpoint again;
	char		url[sizeof("https://") + IOTDATA_AUTHORITY_SIZE + 1];

	CHECK(endpoint->host[0] != '\0' && endpoint->port >= 1 && endpoint->port <= 65535);
	CHECK(endpoint->https || endpoint->loopback);
	CHECK(strpbrk(endpoint->host, "/?#@[]% \t\r\n") == NULL);
	CHECK(strpbrk(endpoint->authority, "/?#@% \t\r\n") == NULL);
	CHECK(strstr(endpoint->authority, endpoint->host) != NULL);

	snprintf(url, sizeof(url), "%s://%s", endpoint->https ? "https" : "http", endpoint->authority);
	memset(&again, 0xff, sizeof(again));
	CHECK(iotdata_endpoint_parse(&again, url) == IOTDATA_ENDPOINT_OK);
	CHECK(same(endpoint, &again));
	strcat(url, "/");
	CHECK(iotdata_endpoint_parse(&again, url) == IOTDATA_ENDPOINT_OK);
	CHECK(same(endpoint, &again));
	check_with_curl(endpoint, url);
}

static void
check_url(const char *url)
{
	IotDataEndpoint endpoint;
	IotDataEndpoint before;
	IotDataEndpointStatus status;

	memset(&endpoint, 0x5a, sizeof(endpoint));
	before = endpoint;
	status = iotdata_endpoint_parse(&endpoint, url);
	CHECK((iotdata_endpoint_explain(status) == NULL) == (status == IOTDATA_ENDPOINT_OK));
	if (status == IOTDATA_ENDPOINT_OK)
		check_endpoint(&endpoint);
	else
		CHECK(memcmp(&endpoint, &before, sizeof(before)) == 0);
}

static void
check_region(const char *region)
{
	for (int way = 0; way < 4; way++)
	{
		IotDataEndpoint endpoint;
		IotDataEndpointStatus status =
			iotdata_endpoint_for_region(&endpoint, region, (way & 1) != 0, (way & 2) != 0);

		CHECK((status != IOTDATA_ENDPOINT_BAD_REGION) == iotdata_region_is_valid(region));
		CHECK(status != IOTDATA_ENDPOINT_NO_DUALSTACK || (way & 2) != 0);
		if (status != IOTDATA_ENDPOINT_OK)
			continue;
		CHECK(endpoint.https && !endpoint.loopback && endpoint.port == 443);
		CHECK(strstr(endpoint.host, region) != NULL);
		check_endpoint(&endpoint);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = fuzz_text(data, size);

	check_url(text);
	check_region(text);
	free(text);
	return 0;
}
