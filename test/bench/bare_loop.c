/*
 * bare_loop.c
 *		What libcurl alone can do: one GET after the other on one easy handle.
 *
 * usage: bare_loop URL COUNT CA_FILE [REGION]
 *
 * With a region each request is signed by libcurl itself, with the keys of the
 * environment: an endpoint that checks signatures takes no others. (Its way to sign is
 * right for this URL, which needs no encoding and has one query pair.)
 *
 * Prints the seconds that COUNT requests took, after one that opened the
 * connection.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static size_t
ignore(char *bytes, size_t size, size_t count, void *unused)
{
	(void) bytes;
	(void) unused;
	return size * count;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
get(CURL *easy)
{
	long		status = 0;
	CURLcode	result = curl_easy_perform(easy);

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK || status != 200)
	{
		fprintf(stderr, "bare_loop: %s, HTTP status %ld\n",
				curl_easy_strerror(result), status);
		exit(1);
	}
}

static void
sign(CURL *easy, const char *region)
{
	char		text[512];

	snprintf(text, sizeof(text), "aws:amz:%s:iotdata", region);
	curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, text);
	snprintf(text, sizeof(text), "%s:%s", getenv("AWS_ACCESS_KEY_ID"),
			 getenv("AWS_SECRET_ACCESS_KEY"));
	curl_easy_setopt(easy, CURLOPT_USERPWD, text);
}

int
main(int argc, char **argv)
{
	CURL	   *easy;
	double		begun;

	if (argc < 4)
	{
		fprintf(stderr, "usage: bare_loop URL COUNT CA_FILE [REGION]\n");
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	easy = curl_easy_init();
	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(easy, CURLOPT_CAINFO, argv[3]);
	if (argc > 4)
		sign(easy, argv[4]);
	get(easy);
	begun = now();
	for (long i = atol(argv[2]); i > 0; i--)
		get(easy);
	printf("%.6f\n", now() - begun);
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	return 0;
}
