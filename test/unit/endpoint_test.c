/*
 * endpoint_test.c
 *		Regions, the endpoint that belongs to one, and endpoint URLs.
 */
#include "unit.h"

#include "aws/endpoint.h"

static void
regions_are_one_host_label(void **state)
{
	static const char *const good[] = {
		"eu-west-1", "us-gov-east-1", "x", "X", "0", "a--b", "EU-WEST-1",
		"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-123456789"
	};
	static const char *const bad[] = {
		"", "-", "-a", "a-", "a.b", "a_b", "a b", " a", "a ", "a/b", "a\n",
		"a%2e", "a:b", "a@b", "a#", "a?", "\xc3\xa9", "a\x7f",
		"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-1234567890"
	};
	IotDataEndpoint endpoint;

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(good); i++)
	{
		assert_true(iotdata_region_is_valid(good[i]));
		assert_int_equal(iotdata_endpoint_for_region(&endpoint, good[i], false,
													 false),
						 IOTDATA_ENDPOINT_OK);
	}
	for (size_t i = 0; i < LENGTH_OF(bad); i++)
	{
		if (iotdata_region_is_valid(bad[i]))
			fail_msg("\"%s\" is taken for a region", bad[i]);
		assert_int_equal(iotdata_endpoint_for_region(&endpoint, bad[i], false,
													 false),
						 IOTDATA_ENDPOINT_BAD_REGION);
	}
}

static const struct
{
	const char *region;
	bool		fips;
	bool		dualstack;
	const char *host;			/* NULL: there is none */
}			regions[] = {
	{"eu-west-1", false, false, "data-ats.iot.eu-west-1.amazonaws.com"},
	{"eu-west-1", true, false, "data-ats.iot-fips.eu-west-1.amazonaws.com"},
	{"eu-west-1", false, true, "data-ats.iot.eu-west-1.api.aws"},
	{"eu-west-1", true, true, "data-ats.iot-fips.eu-west-1.api.aws"},
	{"us-east-1", false, false, "data-ats.iot.us-east-1.amazonaws.com"},
	{"us-east-1", true, false, "data.iot-fips.us-east-1.amazonaws.com"},
	{"us-east-1", false, true, "data-ats.iot.us-east-1.api.aws"},
	{"us-east-1", true, true, "data-ats.iot-fips.us-east-1.api.aws"},
	{"us-east-2", false, false, "data-ats.iot.us-east-2.amazonaws.com"},
	{"us-east-2", true, false, "data.iot-fips.us-east-2.amazonaws.com"},
	{"us-east-2", false, true, "data-ats.iot.us-east-2.api.aws"},
	{"us-east-2", true, true, "data-ats.iot-fips.us-east-2.api.aws"},
	{"us-west-1", false, false, "data-ats.iot.us-west-1.amazonaws.com"},
	{"us-west-1", true, false, "data.iot-fips.us-west-1.amazonaws.com"},
	{"us-west-1", false, true, "data-ats.iot.us-west-1.api.aws"},
	{"us-west-1", true, true, "data-ats.iot-fips.us-west-1.api.aws"},
	{"us-west-2", false, false, "data-ats.iot.us-west-2.amazonaws.com"},
	{"us-west-2", true, false, "data.iot-fips.us-west-2.amazonaws.com"},
	{"us-west-2", false, true, "data-ats.iot.us-west-2.api.aws"},
	{"us-west-2", true, true, "data-ats.iot-fips.us-west-2.api.aws"},
	{"ca-central-1", false, false, "data-ats.iot.ca-central-1.amazonaws.com"},
	{"ca-central-1", true, false, "data.iot-fips.ca-central-1.amazonaws.com"},
	{"ca-central-1", false, true, "data-ats.iot.ca-central-1.api.aws"},
	{"ca-central-1", true, true, "data-ats.iot-fips.ca-central-1.api.aws"},
	{"ca-west-1", false, false, "data-ats.iot.ca-west-1.amazonaws.com"},
	{"ca-west-1", true, false, "data-ats.iot-fips.ca-west-1.amazonaws.com"},
	{"ca-west-1", false, true, "data-ats.iot.ca-west-1.api.aws"},
	{"ca-west-1", true, true, "data-ats.iot-fips.ca-west-1.api.aws"},
	{"us-gov-east-1", false, false, "data-ats.iot.us-gov-east-1.amazonaws.com"},
	{"us-gov-east-1", true, false, "data.iot-fips.us-gov-east-1.amazonaws.com"},
	{"us-gov-east-1", false, true, "data-ats.iot.us-gov-east-1.api.aws"},
	{"us-gov-east-1", true, true, "data-ats.iot-fips.us-gov-east-1.api.aws"},
	{"us-gov-west-1", false, false, "data-ats.iot.us-gov-west-1.amazonaws.com"},
	{"us-gov-west-1", true, false, "data.iot-fips.us-gov-west-1.amazonaws.com"},
	{"us-gov-west-1", false, true, "data-ats.iot.us-gov-west-1.api.aws"},
	{"us-gov-west-1", true, true, "data-ats.iot-fips.us-gov-west-1.api.aws"},
	{"cn-north-1", false, false, "data.ats.iot.cn-north-1.amazonaws.com.cn"},
	{"cn-north-1", true, false, "data-ats.iot-fips.cn-north-1.amazonaws.com.cn"},
	{"cn-north-1", false, true, "data-ats.iot.cn-north-1.api.amazonwebservices.com.cn"},
	{"cn-north-1", true, true, "data-ats.iot-fips.cn-north-1.api.amazonwebservices.com.cn"},
	{"cn-northwest-1", false, false, "data-ats.iot.cn-northwest-1.amazonaws.com.cn"},
	{"cn-northwest-1", true, false, "data-ats.iot-fips.cn-northwest-1.amazonaws.com.cn"},
	{"cn-northwest-1", false, true, "data-ats.iot.cn-northwest-1.api.amazonwebservices.com.cn"},
	{"cn-northwest-1", true, true, "data-ats.iot-fips.cn-northwest-1.api.amazonwebservices.com.cn"},
	{"eusc-de-east-1", false, false, "data-ats.iot.eusc-de-east-1.amazonaws.eu"},
	{"eusc-de-east-1", true, false, "data-ats.iot-fips.eusc-de-east-1.amazonaws.eu"},
	{"eusc-de-east-1", false, true, "data-ats.iot.eusc-de-east-1.api.amazonwebservices.eu"},
	{"eusc-de-east-1", true, true, "data-ats.iot-fips.eusc-de-east-1.api.amazonwebservices.eu"},
	{"us-iso-east-1", false, false, "data-ats.iot.us-iso-east-1.c2s.ic.gov"},
	{"us-iso-east-1", true, false, "data-ats.iot-fips.us-iso-east-1.c2s.ic.gov"},
	{"us-iso-east-1", false, true, NULL},
	{"us-iso-east-1", true, true, NULL},
	{"us-isob-east-1", false, false, "data-ats.iot.us-isob-east-1.sc2s.sgov.gov"},
	{"us-isob-east-1", true, false, "data-ats.iot-fips.us-isob-east-1.sc2s.sgov.gov"},
	{"us-isob-east-1", false, true, NULL},
	{"us-isob-east-1", true, true, NULL},
	{"eu-isoe-west-1", false, false, "data-ats.iot.eu-isoe-west-1.cloud.adc-e.uk"},
	{"eu-isoe-west-1", true, false, "data-ats.iot-fips.eu-isoe-west-1.cloud.adc-e.uk"},
	{"eu-isoe-west-1", false, true, NULL},
	{"eu-isoe-west-1", true, true, NULL},
	{"us-isof-south-1", false, false, "data-ats.iot.us-isof-south-1.csp.hci.ic.gov"},
	{"us-isof-south-1", true, false, "data-ats.iot-fips.us-isof-south-1.csp.hci.ic.gov"},
	{"us-isof-south-1", false, true, NULL},
	{"us-isof-south-1", true, true, NULL},

	/* regions to come, and names that only look like a partition's */
	{"mx-new-9", false, false, "data-ats.iot.mx-new-9.amazonaws.com"},
	{"mx-new-9", true, false, "data-ats.iot-fips.mx-new-9.amazonaws.com"},
	{"mx-new-9", false, true, "data-ats.iot.mx-new-9.api.aws"},
	{"mx-new-9", true, true, "data-ats.iot-fips.mx-new-9.api.aws"},
	{"cnx-1", false, false, "data-ats.iot.cnx-1.amazonaws.com"},
	{"cnx-1", true, false, "data-ats.iot-fips.cnx-1.amazonaws.com"},
	{"cnx-1", false, true, "data-ats.iot.cnx-1.api.aws"},
	{"cnx-1", true, true, "data-ats.iot-fips.cnx-1.api.aws"},
	{"EU-West-1", false, false, "data-ats.iot.EU-West-1.amazonaws.com"},
	{"EU-West-1", true, false, "data-ats.iot-fips.EU-West-1.amazonaws.com"},
	{"EU-West-1", false, true, "data-ats.iot.EU-West-1.api.aws"},
	{"EU-West-1", true, true, "data-ats.iot-fips.EU-West-1.api.aws"},
};

static void
every_partition_has_its_endpoints(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(regions); i++)
	{
		const char *expected = regions[i].host;
		IotDataEndpoint endpoint;
		IotDataEndpointStatus status;

		memset(&endpoint, 'x', sizeof(endpoint));
		status = iotdata_endpoint_for_region(&endpoint, regions[i].region,
											 regions[i].fips,
											 regions[i].dualstack);
		if (expected == NULL)
		{
			assert_int_equal(status, IOTDATA_ENDPOINT_NO_DUALSTACK);
			assert_int_equal(endpoint.host[0], 'x');
			continue;
		}
		assert_int_equal(status, IOTDATA_ENDPOINT_OK);
		assert_string_equal(endpoint.host, expected);
		assert_string_equal(endpoint.authority, expected);
		assert_int_equal(endpoint.port, 443);
		assert_true(endpoint.https);
		assert_false(endpoint.loopback);
	}
}

static const struct
{
	const char *url;
	bool		https;
	bool		loopback;
	const char *host;
	int			port;
	const char *authority;
}			good_urls[] = {
	{"https://example.com", true, false, "example.com", 443, "example.com"},
	{"https://example.com/", true, false, "example.com", 443, "example.com"},
	{"HTTPS://example.com", true, false, "example.com", 443, "example.com"},
	{"hTTpS://Example.COM", true, false, "Example.COM", 443, "Example.COM"},
	{"https://example.com:443", true, false, "example.com", 443, "example.com"},
	{"https://example.com:00443/", true, false, "example.com", 443, "example.com"},
	{"https://example.com:8443", true, false, "example.com", 8443, "example.com:8443"},
	{"https://example.com:80", true, false, "example.com", 80, "example.com:80"},
	{"https://example.com:1", true, false, "example.com", 1, "example.com:1"},
	{"https://example.com:65535/", true, false, "example.com", 65535, "example.com:65535"},
	{"https://a", true, false, "a", 443, "a"},
	{"https://a_b.c-d.e0", true, false, "a_b.c-d.e0", 443, "a_b.c-d.e0"},
	{"https://1.example", true, false, "1.example", 443, "1.example"},
	{"https://192.0.2.1", true, false, "192.0.2.1", 443, "192.0.2.1"},
	{"https://[2001:db8::1]", true, false, "2001:db8::1", 443, "[2001:db8::1]"},
	{"https://[2001:db8::1]:8443/", true, false, "2001:db8::1", 8443, "[2001:db8::1]:8443"},
	{"https://[::1]:443", true, true, "::1", 443, "[::1]"},
	{"https://localhost", true, true, "localhost", 443, "localhost"},
	{"https://127.0.0.1:8443", true, true, "127.0.0.1", 8443, "127.0.0.1:8443"},
	{"https://128.0.0.1", true, false, "128.0.0.1", 443, "128.0.0.1"},
	{"https://126.255.255.255", true, false, "126.255.255.255", 443, "126.255.255.255"},
	{"https://127.0.0.1.example.com", true, false, "127.0.0.1.example.com", 443, "127.0.0.1.example.com"},
	{"https://localhost.example.com", true, false, "localhost.example.com", 443, "localhost.example.com"},
	{"https://[::ffff:127.0.0.1]", true, false, "::ffff:127.0.0.1", 443, "[::ffff:127.0.0.1]"},
	{"http://localhost", false, true, "localhost", 80, "localhost"},
	{"http://LocalHost:80/", false, true, "LocalHost", 80, "LocalHost"},
	{"HTTP://localhost:8080", false, true, "localhost", 8080, "localhost:8080"},
	{"http://localhost:443", false, true, "localhost", 443, "localhost:443"},
	{"http://127.0.0.1:9", false, true, "127.0.0.1", 9, "127.0.0.1:9"},
	{"http://127.255.255.255", false, true, "127.255.255.255", 80, "127.255.255.255"},
	{"http://[::1]", false, true, "::1", 80, "[::1]"},
	{"http://[::1]:8080/", false, true, "::1", 8080, "[::1]:8080"},
	{"http://[0:0:0:0:0:0:0:1]", false, true, "0:0:0:0:0:0:0:1", 80, "[0:0:0:0:0:0:0:1]"},
};

static void
good_urls_are_taken(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(good_urls); i++)
	{
		char	   *url = exact_copy(good_urls[i].url,
									 strlen(good_urls[i].url) + 1);
		IotDataEndpoint endpoint;

		memset(&endpoint, 'x', sizeof(endpoint));
		if (iotdata_endpoint_parse(&endpoint, url) != IOTDATA_ENDPOINT_OK)
			fail_msg("%s is refused", url);
		assert_int_equal(endpoint.https, good_urls[i].https);
		assert_int_equal(endpoint.loopback, good_urls[i].loopback);
		assert_string_equal(endpoint.host, good_urls[i].host);
		assert_int_equal(endpoint.port, good_urls[i].port);
		assert_string_equal(endpoint.authority, good_urls[i].authority);
		free(url);
	}
}

static const struct
{
	IotDataEndpointStatus status;
	const char *url;
}			bad_urls[] = {
	{IOTDATA_ENDPOINT_NOT_A_URL, ""},
	{IOTDATA_ENDPOINT_NOT_A_URL, "example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "example.com:443"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "//example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "://example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "https"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "https:"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "https:/"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "https:example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "https:/example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, " https://example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "https ://example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "1https://example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "+https://example.com"},
	{IOTDATA_ENDPOINT_NOT_A_URL, "mailto:a@b"},
	{IOTDATA_ENDPOINT_BAD_SCHEME, "ftp://example.com"},
	{IOTDATA_ENDPOINT_BAD_SCHEME, "httpss://example.com"},
	{IOTDATA_ENDPOINT_BAD_SCHEME, "htt://example.com"},
	{IOTDATA_ENDPOINT_BAD_SCHEME, "h://example.com"},
	{IOTDATA_ENDPOINT_BAD_SCHEME, "https+x://example.com"},
	{IOTDATA_ENDPOINT_BAD_SCHEME, "mqtts://example.com:8883"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https:///"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://:443"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://::1"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://."},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://.example.com"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example..com"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example.com."},
	{IOTDATA_ENDPOINT_BAD_HOST, "http://localhost."},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://exa mple.com"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https:// example.com"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example.com "},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example.com\n"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example.com\r\nX: y"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://exa\tmple.com"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://exa%6dple.com"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example.com%00"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example.com\\x"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://ex\xc3\xa4mple.com"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://example.com\x7f"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://a,b"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://a;b"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://a*b"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://1.2.3"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://127.1"},
	{IOTDATA_ENDPOINT_BAD_HOST, "http://127.1"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://0x7f000001"},
	{IOTDATA_ENDPOINT_BAD_HOST, "http://127.0.0.0X1"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://host.0x"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://2130706433"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://1.2.3.256"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://1.2.3.4.5"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://0177.0.0.1"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://["},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[::1"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://::1]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[::1]x"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[::1]]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[::1]8080"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[::1%25eth0]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[fe80::1%eth0]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[example.com]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[127.0.0.1]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[1:2:3]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://[v1.x]"},
	{IOTDATA_ENDPOINT_BAD_HOST, "https://x[::1]"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:/"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://[::1]:"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:0"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:00000"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:65536"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:99999"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:000443"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:4294967739"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:18446744073709552059"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:-1"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:+1"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com: 1"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:1 "},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:0x50"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:https"},
	{IOTDATA_ENDPOINT_BAD_PORT, "https://example.com:1:2"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://user@example.com"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://user:password@example.com"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://@example.com"},
	{IOTDATA_ENDPOINT_HAS_MORE, "http://localhost@example.com"},
	{IOTDATA_ENDPOINT_HAS_MORE, "http://localhost:80@example.com"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com/path"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com//"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com/ "},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com?"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com?a=b"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com/?a=b"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com#"},
	{IOTDATA_ENDPOINT_HAS_MORE, "https://example.com/#x"},
	{IOTDATA_ENDPOINT_HAS_MORE, "http://localhost#@example.com"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://example.com"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://example.com:8080/"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://localhost.example.com"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://localhos"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://127.0.0.1.example.com"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://128.0.0.1"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://0.0.0.0"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://10.0.0.127"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://169.254.170.2"},
	{IOTDATA_ENDPOINT_BAD_HOST, "http://0x7f000001"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://[::]"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://[::2]"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://[::ffff:127.0.0.1]"},
	{IOTDATA_ENDPOINT_NOT_LOOPBACK, "http://[fe80::1]"},
};

static void
bad_urls_are_refused(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(bad_urls); i++)
	{
		char	   *url = exact_copy(bad_urls[i].url,
									 strlen(bad_urls[i].url) + 1);
		IotDataEndpoint endpoint;
		IotDataEndpoint before;
		IotDataEndpointStatus status;

		memset(&before, 'x', sizeof(before));
		endpoint = before;
		status = iotdata_endpoint_parse(&endpoint, url);
		if (status != bad_urls[i].status)
			fail_msg("\"%s\" gives %d, not %d", url, (int) status,
					 (int) bad_urls[i].status);
		assert_memory_equal(&endpoint, &before, sizeof(before));
		free(url);
	}
}

static void
only_some_bytes_can_be_in_a_host(void **state)
{
	(void) state;
	for (int i = 1; i < 256; i++)
	{
		char		url[] = "https://a?b";
		IotDataEndpoint endpoint;
		bool		good;

		good = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') ||
			(i >= '0' && i <= '9') || i == '.' || i == '_' || i == '-';
		url[9] = (char) i;
		assert_int_equal(iotdata_endpoint_parse(&endpoint, url) ==
						 IOTDATA_ENDPOINT_OK, good);
	}
}

/* "https://", then labels of "label" bytes up to "length" bytes, then "end". */
static IotDataEndpointStatus
parse_long_host(size_t length, size_t label, const char *end,
				IotDataEndpoint *endpoint)
{
	char		url[1024] = "https://";
	size_t		at = strlen(url);

	for (size_t i = 0; i < length; i++)
		url[at++] = ((i + 1) % (label + 1) == 0) ? '.' : 'a';
	snprintf(url + at, sizeof(url) - at, "%s", end);
	return iotdata_endpoint_parse(endpoint, url);
}

static void
hosts_have_a_greatest_length(void **state)
{
	IotDataEndpoint endpoint;

	(void) state;
	assert_int_equal(parse_long_host(63, 63, "", &endpoint),
					 IOTDATA_ENDPOINT_OK);
	assert_int_equal(parse_long_host(64, 64, "", &endpoint),
					 IOTDATA_ENDPOINT_BAD_HOST);
	assert_int_equal(parse_long_host(253, 49, ":65535", &endpoint),
					 IOTDATA_ENDPOINT_OK);
	assert_int_equal(strlen(endpoint.host), 253);
	assert_int_equal(strlen(endpoint.authority), 253 + 6);
	assert_string_equal(endpoint.authority + 253, ":65535");
	for (size_t length = 254; length < 600; length++)
		assert_int_equal(parse_long_host(length, 49, "", &endpoint),
						 IOTDATA_ENDPOINT_BAD_HOST);
}

static void
every_refusal_is_explained(void **state)
{
	(void) state;
	assert_null(iotdata_endpoint_explain(IOTDATA_ENDPOINT_OK));
	for (int i = IOTDATA_ENDPOINT_OK + 1; i <= IOTDATA_ENDPOINT_NOT_LOOPBACK; i++)
	{
		const char *why = iotdata_endpoint_explain((IotDataEndpointStatus) i);

		assert_non_null(why);
		assert_true(why[0] >= 'A' && why[0] <= 'Z');
		assert_int_equal(why[strlen(why) - 1], '.');
	}
	assert_null(iotdata_endpoint_explain((IotDataEndpointStatus) 1000));
}

static void
only_hosts_of_aws_are_a_regions_endpoints(void **state)
{
	static const struct
	{
		const char *url;
		const char *region;
		bool		is_of_region;
	}			cases[] = {
		{"https://data-ats.iot.eu-west-1.amazonaws.com", "eu-west-1", true},
		{"https://a1b2c3-ats.iot.eu-west-1.amazonaws.com/", "eu-west-1", true},
		{"https://data.iot-fips.us-east-1.amazonaws.com", "us-east-1", true},
		{"https://data-ats.iot.eu-west-1.api.aws", "eu-west-1", true},
		{"https://data.ats.iot.cn-north-1.amazonaws.com.cn", "cn-north-1", true},
		{"https://data-ats.iot.eu-west-1.amazonaws.com", "eu-west-2", false},
		{"https://data-ats.iot.eu-west-1.amazonaws.com:8443", "eu-west-1", false},
		{"https://data-ats.iot.eu-west-1.amazonaws.com.example.com", "eu-west-1", false},
		{"https://iot.eu-west-1.amazonaws.com", "eu-west-1", false},
		{"https://bucket.s3.eu-west-1.amazonaws.com", "eu-west-1", false},
		{"https://data-ats.iot.eu-west-1.example.com", "eu-west-1", false},
		{"http://127.0.0.1", "eu-west-1", false},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		IotDataEndpoint endpoint;

		assert_int_equal(iotdata_endpoint_parse(&endpoint, cases[i].url), IOTDATA_ENDPOINT_OK);
		assert_int_equal(iotdata_endpoint_is_of_region(&endpoint, cases[i].region),
						 cases[i].is_of_region);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_hosts_of_aws_are_a_regions_endpoints),
		cmocka_unit_test(regions_are_one_host_label),
		cmocka_unit_test(every_partition_has_its_endpoints),
		cmocka_unit_test(good_urls_are_taken),
		cmocka_unit_test(bad_urls_are_refused),
		cmocka_unit_test(only_some_bytes_can_be_in_a_host),
		cmocka_unit_test(hosts_have_a_greatest_length),
		cmocka_unit_test(every_refusal_is_explained),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
