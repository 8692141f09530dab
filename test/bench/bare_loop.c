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
#include "bare.h"

static void
get(CURL *easy)
{
	bare_check(easy, curl_easy_perform(easy), 200);
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
	easy = bare_easy(argv[3]);
	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	if (argc > 4)
		sign(easy, argv[4]);
	get(easy);
	begun = bare_now();
	for (long i = atol(argv[2]); i > 0; i--)
		get(easy);
	printf("%.6f\n", bare_now() - begun);
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	return 0;
}
