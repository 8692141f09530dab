/*
 * bare_multi.c
 *		What libcurl alone can do with many requests at once.
 *
 * usage: bare_multi URL_PREFIX COUNT CONCURRENCY CA_FILE [STATUS]
 *
 * GETs URL_PREFIX/connections/ID, as GetConnection does, with a different ID each time: COUNT of
 * them, CONCURRENCY in flight, over connections that are kept. Nothing is signed, and the answers
 * are thrown away; each must have HTTP status STATUS (200).
 *
 * Prints the seconds that COUNT requests took, after a round that opened the
 * connections, and how many of them on a processor.
 *
 * The multi handle is driven by its sockets and one epoll instance, as a
 * backend drives its own: that is libcurl's fastest way, and what is measured
 * here is the limit of what the extension could reach.
 */
#include <sys/epoll.h>
#include <unistd.h>

#include "bare.h"

#define EVENTS_PER_ROUND 64

static CURLM *multi;
static int	epoll_fd;
static double deadline = -1;
static const char *url_prefix;
static long expected_status = 200;
static long started,
			ended,
			wanted;

/* libcurl: watch this socket for that, or leave it. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *unused,
			  void *watched)
{
	struct epoll_event event = {.data.fd = fd};

	(void) easy;
	(void) unused;
	if (what == CURL_POLL_REMOVE)
	{
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	epoll_ctl(epoll_fd, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	curl_multi_assign(multi, fd, &epoll_fd);
	return 0;
}

/* libcurl: wake me after this many milliseconds, or (-1) not at all. */
static int
timer_wanted(CURLM *unused, long timeout_ms, void *unused_too)
{
	(void) unused;
	(void) unused_too;
	deadline = timeout_ms < 0 ? -1 : bare_now() + timeout_ms / 1e3;
	return 0;
}

static void
start(CURL *easy)
{
	char		url[512];

	snprintf(url, sizeof(url), "%s/connections/device-%06ld?includeSocketInformation=false",
			 url_prefix, started++);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_multi_add_handle(multi, easy);
}

/* Each one that has ended makes room for the next. */
static void
collect_finished(void)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		CURL	   *easy = message->easy_handle;

		bare_check(easy, message->data.result, expected_status);
		curl_multi_remove_handle(multi, easy);
		ended++;
		if (started < wanted)
			start(easy);
	}
}

static void
wait_and_drive(void)
{
	struct epoll_event events[EVENTS_PER_ROUND];
	double		left = deadline - bare_now();
	int			timeout = deadline < 0 ? -1 : left <= 0 ? 0 : (int) (left * 1e3) + 1;
	int			running;
	int			nevents = epoll_wait(epoll_fd, events, EVENTS_PER_ROUND, timeout);

	for (int i = 0; i < nevents; i++)
	{
		int			what = 0;

		if (events[i].events & EPOLLIN)
			what |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			what |= CURL_CSELECT_OUT;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			what |= CURL_CSELECT_ERR;
		curl_multi_socket_action(multi, events[i].data.fd, what, &running);
	}
	if (deadline >= 0 && bare_now() >= deadline)
	{
		deadline = -1;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	collect_finished();
}

/* Seconds that "count" requests take. */
static double
run(CURL **easy, int concurrency, long count)
{
	double		begun = bare_now();

	started = ended = 0;
	wanted = count;
	for (int i = 0; i < concurrency && started < wanted; i++)
		start(easy[i]);
	while (ended < wanted)
		wait_and_drive();
	return bare_now() - begun;
}

int
main(int argc, char **argv)
{
	int			concurrency;
	CURL	  **easy;
	double		processor;
	double		seconds;

	if (argc < 5)
	{
		fprintf(stderr, "usage: bare_multi URL_PREFIX COUNT CONCURRENCY CA_FILE [STATUS]\n");
		return 2;
	}
	url_prefix = argv[1];
	concurrency = atoi(argv[3]);
	if (argc > 5)
		expected_status = atol(argv[5]);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) concurrency);
	easy = calloc(concurrency, sizeof(CURL *));
	for (int i = 0; i < concurrency; i++)
		easy[i] = bare_easy(argv[4]);
	run(easy, concurrency, concurrency);
	processor = bare_processor();
	seconds = run(easy, concurrency, atol(argv[2]));
	printf("%.6f %.6f\n", seconds, bare_processor() - processor);
	for (int i = 0; i < concurrency; i++)
		curl_easy_cleanup(easy[i]);
	curl_multi_cleanup(multi);
	curl_global_cleanup();
	free(easy);
	close(epoll_fd);
	return 0;
}
