/*
 * multi.c
 *		The backend's one curl multi handle, behind its latch.
 *
 * All transfers of a backend share one multi handle, made at the first call
 * and kept until the backend exits; with it are kept the connections. libcurl
 * tells us which sockets it wants watched, and they go into an epoll instance
 * of ours. That instance is itself one descriptor, which becomes readable when
 * any of them is ready, so what the backend waits for never changes: its
 * latch, the postmaster's death, that descriptor, and a time-out for libcurl's
 * timer. The wait event set is built once.
 *
 * libcurl runs in drive(), serve_timer() and in the add and remove functions only, with all
 * signals blocked. A thread that resolves a name inherits the mask it is
 * started with, and so never runs one of PostgreSQL's signal handlers. No
 * error is raised, and no interrupt served, while libcurl is on the stack.
 *
 * Nothing is made before a backend's first call, so the postmaster has nothing
 * that its children could inherit.
 */
#include "postgres.h"

#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "compat.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "transport/multi.h"

/* sockets that one round of epoll_wait can report; the rest come in the next */
#define EVENTS_PER_ROUND 64

/* transfers that begin together, rather than each as soon as it is added */
#define ADDED_AT_ONCE 8

#define NO_DEADLINE (-1)

static CURLM *multi;
static int	epoll_fd = -1;
static WaitEventSet *wait_event_set;
static IotDataMultiFinished transfer_finished;

/* Transfers that were added and did not begin yet. */
static int	added;

/* When libcurl's timer runs out, by now_ms(); NO_DEADLINE when it is not set. */
static int64 deadline = NO_DEADLINE;

static int64
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
block_signals(sigset_t *saved)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, saved);
}

static void
restore_signals(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

/* libcurl: watch this socket for that, or leave it. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *unused,
			  void *watched)
{
	struct epoll_event event = {.data.fd = fd};
	int			operation = watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (what == CURL_POLL_REMOVE)
	{
		/* fails for a socket that is closed already, and is gone then */
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		curl_multi_assign(multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(epoll_fd, operation, fd, &event) != 0)
		return -1;
	curl_multi_assign(multi, fd, &epoll_fd);
	return 0;
}

/* libcurl: wake me after this many milliseconds, or (-1) not at all. */
static int
timer_wanted(CURLM *unused, long timeout_ms, void *unused_too)
{
	deadline = timeout_ms < 0 ? NO_DEADLINE : now_ms() + timeout_ms;
	return 0;
}

/* Hand over the transfers that have ended, and tell whether there were any. */
static bool
collect_finished(void)
{
	CURLMsg    *message;
	int			left;
	bool		any = false;

	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		CURL	   *easy = message->easy_handle;
		CURLcode	result = message->data.result;
		void	   *private_data = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private_data);
		curl_multi_remove_handle(multi, easy);
		transfer_finished(private_data, result);
		any = true;
	}
	return any;
}

/*
 * Let libcurl do what its timer asks for; signals are blocked. Returns whether
 * any transfer has ended.
 */
static bool
serve_timer(void)
{
	int			running;

	added = 0;
	if (deadline != NO_DEADLINE && now_ms() >= deadline)
	{
		deadline = NO_DEADLINE;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	return collect_finished();
}

/* Let libcurl do all it can do now; signals are blocked. */
static void
drive(void)
{
	struct epoll_event events[EVENTS_PER_ROUND];
	int			running;
	int			nevents;

	nevents = epoll_wait(epoll_fd, events, EVENTS_PER_ROUND, 0);
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
	serve_timer();
}

/* Wait on the latch, the sockets and libcurl's timer. */
static void
wait_for_event(long timeout, uint32 wait_event)
{
	WaitEvent	event;

	if (deadline != NO_DEADLINE)
	{
		long		left = (long) Max(deadline - now_ms(), 0);

		timeout = timeout < 0 ? left : Min(timeout, left);
	}
	if (WaitEventSetWait(wait_event_set, timeout, &event, 1, wait_event) == 1 &&
		(event.events & WL_LATCH_SET) != 0)
		ResetLatch(MyLatch);
}

/* What was added since the last time begins first. */
void
iotdata_multi_wait(long timeout, uint32 wait_event)
{
	sigset_t	saved;
	bool		any;

	block_signals(&saved);
	any = serve_timer();
	restore_signals(&saved);
	if (!any)
		wait_for_event(timeout, wait_event);
	CHECK_FOR_INTERRUPTS();
	if (any)
		return;
	block_signals(&saved);
	drive();
	restore_signals(&saved);
}

/*
 * Nothing begins in curl_multi_add_handle: that is libcurl's timer's to do,
 * here for several at a time, or in the next wait. So a server that sleeps is
 * woken once for some requests, and not once for each, and still the first of
 * many need not wait for the last.
 */
CURLMcode
iotdata_multi_add(CURL *easy)
{
	CURLMcode	result = curl_multi_add_handle(multi, easy);
	sigset_t	saved;

	if (result == CURLM_OK && ++added >= ADDED_AT_ONCE)
	{
		block_signals(&saved);
		(void) serve_timer();
		restore_signals(&saved);
	}
	return result;
}

void
iotdata_multi_remove(CURL *easy)
{
	sigset_t	saved;

	block_signals(&saved);
	curl_multi_remove_handle(multi, easy);
	restore_signals(&saved);
}

void
iotdata_multi_keep(int connections)
{
	static int	kept = 0;

	if (connections == kept)
		return;
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) connections);
	kept = connections;
}

/* Backend exit: close the connections. */
static void
close_multi(int code, Datum arg)
{
	sigset_t	saved;

	block_signals(&saved);
	curl_multi_cleanup(multi);
	restore_signals(&saved);
	multi = NULL;
}

/* Everything that a backend waits for; built once. */
static void
create_wait_event_set(void)
{
	WaitEventSet *set = iotdata_create_wait_event_set(3);

	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	if (IsUnderPostmaster)		/* there is none in single-user mode */
		AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(set, WL_SOCKET_READABLE, epoll_fd, NULL, NULL);
	wait_event_set = set;
}

static bool
create_multi(void)
{
	CURLM	   *created;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return false;
	created = curl_multi_init();
	if (created == NULL ||
		curl_multi_setopt(created, CURLMOPT_SOCKETFUNCTION, socket_wanted) != CURLM_OK ||
		curl_multi_setopt(created, CURLMOPT_TIMERFUNCTION, timer_wanted) != CURLM_OK)
	{
		curl_multi_cleanup(created);
		curl_global_cleanup();
		return false;
	}
	iotdata_multi_quick_exit(created);
	multi = created;
	on_proc_exit(close_multi, (Datum) 0);
	return true;
}

bool
iotdata_multi_open(IotDataMultiFinished finished)
{
	transfer_finished = finished;
	if (epoll_fd < 0)
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		return false;
	if (wait_event_set == NULL)
		create_wait_event_set();
	return multi != NULL || create_multi();
}
