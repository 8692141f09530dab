/*
 * opening.c
 *		How libcurl is to open a connection, and why it could not.
 */
#include "postgres.h"

#include "transport/authorities.h"
#include "transport/opening.h"
#include "transport/proxy.h"

#define SET(option, value) \
	do { \
		CURLcode	code_ = curl_easy_setopt(easy, option, value); \
		if (code_ != CURLE_OK) \
			return code_; \
	} while (0)

/* What a proxy says beside its status. */
static size_t
ignore_bytes(char *bytes, size_t size, size_t count, void *unused)
{
	return size * count;
}

/* What is the same for all connections. */
static CURLcode
set_constants(CURL *easy)
{
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_WRITEFUNCTION, ignore_bytes);
	SET(CURLOPT_HEADERFUNCTION, ignore_bytes);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* a name that is being resolved does not hold up a cancel */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_DNS_CACHE_TIMEOUT, (long) IOTDATA_NAME_KNOWN);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "iotdata/" IOTDATA_VERSION);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* a resumed session is not verified, though its authorities have changed */
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	return CURLE_OK;
}

CURLcode
iotdata_opening_prepare(CURL *easy, const IotDataOrigin *origin,
						long connect_timeout, int64 now)
{
	char		url[sizeof("https:///") + IOTDATA_AUTHORITY_SIZE];
	CURLcode	result = set_constants(easy);

	if (result != CURLE_OK)
		return result;
	snprintf(url, sizeof(url), "%s://%s/", origin->https ? "https" : "http",
			 origin->authority);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_CONNECTTIMEOUT_MS, connect_timeout);
	if (origin->https)
		result = iotdata_authorities_set(easy, origin->ca_file, now);
	return result == CURLE_OK ? iotdata_proxy_set(easy, origin->proxy) : result;
}

void
iotdata_opening_explain(CURL *easy, CURLcode result, const char *said,
						char reason[CURL_ERROR_SIZE])
{
	long		proxy_status = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (proxy_status == 407)
		strlcpy(reason, "The proxy does not accept the user and password of HTTPS_PROXY (HTTP status 407)",
				CURL_ERROR_SIZE);
	else if (proxy_status != 0 && proxy_status / 100 != 2)
		snprintf(reason, CURL_ERROR_SIZE, "The proxy refused the connection (HTTP status %ld)",
				 proxy_status);
	else if (result == IOTDATA_PROXY_NOT_A_URL)
		strlcpy(reason, "HTTPS_PROXY is not a URL of scheme, user, password, host and port",
				CURL_ERROR_SIZE);
	else
		strlcpy(reason, said[0] != '\0' ? said : curl_easy_strerror(result),
				CURL_ERROR_SIZE);
}
