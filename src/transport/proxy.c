/*
 * proxy.c
 *		The proxy that the environment names.
 *
 * NO_PROXY is libcurl's to read.
 */
#include "postgres.h"

#include "transport/proxy.h"

/*
 * HTTPS_PROXY counts for https, as it does with AWS's own clients, and nothing
 * for loopback and link-local addresses. As http is for those only, all proxies
 * are asked for a tunnel (CONNECT).
 */
const char *
iotdata_proxy_find(const IotDataEndpoint *endpoint)
{
	const char *proxy;

	if (!endpoint->https || endpoint->loopback || endpoint->link_local)
		return "";
	proxy = getenv("https_proxy");
	if (proxy == NULL)
		proxy = getenv("HTTPS_PROXY");
	return proxy != NULL ? proxy : "";
}

/* A part of a URL, to be freed with curl_free; NULL when it has none. */
static char *
part_of(CURLU *url, CURLUPart part, unsigned flags)
{
	char	   *text = NULL;

	return curl_url_get(url, part, &text, flags) == CURLUE_OK ? text : NULL;
}

/* Has it more than scheme, user, password, host and port? */
static bool
has_more(CURLU *url)
{
	char	   *path = part_of(url, CURLUPART_PATH, 0);
	char	   *query = part_of(url, CURLUPART_QUERY, 0);
	char	   *fragment = part_of(url, CURLUPART_FRAGMENT, 0);
	bool		more = query != NULL || fragment != NULL ||
		(path != NULL && strcmp(path, "/") != 0);

	curl_free(path);
	curl_free(query);
	curl_free(fragment);
	return more;
}

/* "proxy:3128" is a proxy for HTTP, whatever the host is called. */
static CURLUcode
parse(CURLU *url, const char *proxy)
{
	static const char http[] = "http://";
	size_t		size = sizeof(http) + strlen(proxy);
	CURLUcode	result;
	char	   *with_scheme;

	if (strstr(proxy, "://") != NULL)
		return curl_url_set(url, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME);
	with_scheme = malloc(size);
	if (with_scheme == NULL)
		return CURLUE_OUT_OF_MEMORY;
	snprintf(with_scheme, size, "%s%s", http, proxy);
	result = curl_url_set(url, CURLUPART_URL, with_scheme, CURLU_NON_SUPPORT_SCHEME);
	free(with_scheme);
	return result;
}

/* Move user and password from the URL into the handle. */
static CURLcode
set_user(CURL *easy, CURLU *url)
{
	char	   *user = part_of(url, CURLUPART_USER, CURLU_URLDECODE);
	char	   *password = part_of(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
	CURLcode	result = CURLE_OK;

	if (user != NULL)
		result = curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, user);
	if (password != NULL && result == CURLE_OK)
		result = curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, password);
	curl_free(user);
	curl_free(password);
	curl_url_set(url, CURLUPART_USER, NULL, 0);
	curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	return result;
}

static CURLcode
set_parts(CURL *easy, CURLU *url)
{
	CURLcode	result = set_user(easy, url);
	char	   *rest = part_of(url, CURLUPART_URL, 0);

	if (result == CURLE_OK)
		result = rest != NULL ? curl_easy_setopt(easy, CURLOPT_PROXY, rest) : CURLE_OUT_OF_MEMORY;
	curl_free(rest);
	return result;
}

CURLcode
iotdata_proxy_set(CURL *easy, const char *proxy)
{
	CURLU	   *url;
	CURLUcode	parsed;
	CURLcode	result;

	/* or libcurl would look into the environment by itself */
	if (proxy[0] == '\0')
		return curl_easy_setopt(easy, CURLOPT_PROXY, "");
	url = curl_url();
	if (url == NULL)
		return CURLE_OUT_OF_MEMORY;
	parsed = parse(url, proxy);
	if (parsed == CURLUE_OUT_OF_MEMORY)
		result = CURLE_OUT_OF_MEMORY;
	else if (parsed != CURLUE_OK || has_more(url))
		result = IOTDATA_PROXY_NOT_A_URL;
	else
		result = set_parts(easy, url);
	curl_url_cleanup(url);
	return result;
}
