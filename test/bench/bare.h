/*
 * bare.h
 *		What the programs share that measure what libcurl alone can do.
 */
#ifndef BARE_H
#define BARE_H

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double
bare_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Seconds of a processor that this process has had. */
static inline double
bare_processor(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static size_t
bare_ignore(char *bytes, size_t size, size_t count, void *unused)
{
	(void) bytes;
	(void) unused;
	return size * count;
}

/* A handle that throws away what it gets. */
static inline CURL *
bare_easy(const char *ca_file)
{
	CURL	   *easy = curl_easy_init();

	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, bare_ignore);
	curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	return easy;
}

/* A request that has ended must have had an answer with this status. */
static inline void
bare_check(CURL *easy, CURLcode result, long expected)
{
	long		status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK || status != expected)
	{
		fprintf(stderr, "%s, HTTP status %ld\n", curl_easy_strerror(result), status);
		exit(1);
	}
}

#endif
