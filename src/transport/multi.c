/*
 * multi.c
 *		The backend's one curl multi handle and its sockets, behind its latch.
 *
 * All connections of a backend are opened in one multi handle, made at the
 * first call and kept until the backend exits. While a connection is being
 * opened libcurl tells us which sockets it wants watched; once it is open its
 * socket is watched for whoever uses it. All of them are in an epoll instance
 * of ours. That instance is itself one descriptor, which becomes readable when
 * any of them is ready, so what the backend waits for never changes: its
 * latch, the postmaster's death, that descriptor, and a time-out. The wait
 * event set is built once.
 *
 * libcurl's multi functions run with all signals blocked. A thread that
 * resolves a name inherits the mask it is started with, and so never runs one
 * of PostgreSQL's signal handlers. No error is raised, and no interrupt
 * served, while libcurl is on the stack.
 *
 * Nothing is made before a backend's first call, so the postmaster has nothing
 * that its children could inherit.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "compat.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "transport/multi.h"

/* sockets that one round of epoll_wait can report; the rest come in the next */
#define EVENTS_PER_ROUND 64

/* descriptors for the epoll instance, and for a pair that libcurl makes */
#define OWN_DESCRIPTORS 3

/* how far above the lowest free descriptor those are looked for */
#define DESCRIPTORS_LOOKED_AT 32

#define NO_DEADLINE (-1)

static CURLM *multi;
static int	epoll_fd = -1;
static WaitEventSet *wait_event_set;
static IotDataMultiEnded handle_ended;

/* What the present round has still to deal with. */
static struct epoll_event round_events[EVENTS_PER_ROUND];
static int	round_size;

/* When libcurl's timer runs out, by now(); NO_DEADLINE when it is not set. */
static int64 deadline = NO_DEADLINE;

int64
iotdata_multi_now(void)
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

/* ---- sockets ---- */

/*
 * What epoll remembers of a socket: the address of its watch, or, in an odd
 * number, that it is one of libcurl's, and which.
 */
static uint64
mark_of_curl(curl_socket_t fd)
{
	return (uint64) fd << 1 | 1;
}

/* libcurl: watch this socket for that, or leave it. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *unused,
			  void *watched)
{
	struct epoll_event event = {.data.u64 = mark_of_curl(fd)};
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

	/*
	 * A socket that cannot be watched runs into connect_timeout. To fail here
	 * would be the end of all connections.
	 */
	if (epoll_ctl(epoll_fd, operation, fd, &event) == 0)
		curl_multi_assign(multi, fd, &epoll_fd);
	return 0;
}

bool
iotdata_multi_watch(IotDataWatch *watch, uint32 events)
{
	struct epoll_event event = {.events = events,.data.u64 = (uintptr_t) watch};
	int			operation = watch->events != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (watch->events == events)
		return true;
	if (epoll_ctl(epoll_fd, operation, watch->fd, &event) != 0)
		return false;
	watch->events = events;
	return true;
}

/* What epoll has said of it already is forgotten, too. */
void
iotdata_multi_unwatch(IotDataWatch *watch)
{
	if (watch->events == 0)
		return;
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->events = 0;
	for (int i = 0; i < round_size; i++)
	{
		if (round_events[i].data.u64 == (uintptr_t) watch)
			round_events[i].events = 0;
	}
}

/* ---- libcurl ---- */

/* libcurl: wake me after this many milliseconds, or (-1) not at all. */
static int
timer_wanted(CURLM *unused, long timeout_ms, void *unused_too)
{
	deadline = timeout_ms < 0 ? NO_DEADLINE : iotdata_multi_now() + timeout_ms;
	return 0;
}

CURLMcode
iotdata_multi_add(CURL *easy)
{
	return curl_multi_add_handle(multi, easy);
}

void
iotdata_multi_free(CURL *easy)
{
	sigset_t	saved;

	block_signals(&saved);
	curl_multi_remove_handle(multi, easy);
	curl_easy_cleanup(easy);
	restore_signals(&saved);
}

static void
collect_ended(void)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		CURLcode	result = message->data.result;
		void	   *private_data = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
		handle_ended(private_data, result);
	}
}

/* Something happened to a socket of libcurl's, or its timer has run out. */
static void
act(curl_socket_t fd, int what)
{
	sigset_t	saved;
	int			running;

	block_signals(&saved);
	curl_multi_socket_action(multi, fd, what, &running);
	restore_signals(&saved);
	collect_ended();
}

void
iotdata_multi_run_timer(void)
{
	if (deadline == NO_DEADLINE || iotdata_multi_now() < deadline)
		return;
	deadline = NO_DEADLINE;
	act(CURL_SOCKET_TIMEOUT, 0);
}

/* ---- the loop's body ---- */

static int
curl_events(uint32 events)
{
	return (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		(events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		(events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

void
iotdata_multi_drive(void)
{
	/* an error is no event */
	round_size = epoll_wait(epoll_fd, round_events, EVENTS_PER_ROUND, 0);
	for (int i = 0; i < round_size; i++)
	{
		uint64		mark = round_events[i].data.u64;
		uint32		events = round_events[i].events;

		if (mark & 1)
			act((curl_socket_t) (mark >> 1), curl_events(events));
		else if (events != 0)
			((IotDataWatch *) (uintptr_t) mark)->ready((IotDataWatch *) (uintptr_t) mark, events);
	}
	round_size = 0;
	iotdata_multi_run_timer();
}

void
iotdata_multi_sleep(long timeout, uint32 wait_event)
{
	WaitEvent	event;

	if (deadline != NO_DEADLINE)
	{
		long		left = (long) Max(deadline - iotdata_multi_now(), 0);

		timeout = timeout < 0 ? left : Min(timeout, left);
	}
	if (WaitEventSetWait(wait_event_set, timeout, &event, 1, wait_event) == 1 &&
		(event.events & WL_LATCH_SET) != 0)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* ---- the beginning and the end ---- */

/* Backend exit. Whoever has handles in it has freed them. */
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

/* The lowest descriptor that is free; -1 when none is. */
static int
lowest_free(void)
{
	int			fd = dup(epoll_fd);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* Which descriptors from "lowest" on are open, a bit for each. */
static uint32
open_descriptors(int lowest)
{
	uint32		open = 0;

	for (int i = 0; i < DESCRIPTORS_LOOKED_AT; i++)
	{
		if (fcntl(lowest + i, F_GETFD) >= 0)
			open |= UINT32_C(1) << i;
	}
	return open;
}

/*
 * A multi handle. The pair of sockets that it makes for itself, to be woken by
 * other threads, is not to be inherited by programs; libcurl does not see to
 * that in all versions.
 */
static CURLM *
create_handle(void)
{
	int			lowest = lowest_free();
	uint32		before = open_descriptors(lowest);
	CURLM	   *created = curl_multi_init();
	uint32		made = open_descriptors(lowest) & ~before;

	for (int i = 0; i < DESCRIPTORS_LOOKED_AT; i++)
	{
		if (made & UINT32_C(1) << i)
			fcntl(lowest + i, F_SETFD, FD_CLOEXEC);
	}
	return created;
}

static bool
create_multi(void)
{
	CURLM	   *created;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return false;
	created = create_handle();
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

static bool
create_epoll(void)
{
	int			acquired = 0;

	while (acquired < OWN_DESCRIPTORS && AcquireExternalFD())
		acquired++;
	if (acquired == OWN_DESCRIPTORS)
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd >= 0)
		return true;
	while (acquired-- > 0)
		ReleaseExternalFD();
	return false;
}

bool
iotdata_multi_open(IotDataMultiEnded ended)
{
	handle_ended = ended;
	if (multi != NULL)
		return true;
	if (epoll_fd < 0 && !create_epoll())
		return false;
	if (wait_event_set == NULL)
	{
		/* PostgreSQL would call a lack of descriptors an internal error */
		if (lowest_free() < 0)
			return false;
		create_wait_event_set();
	}
	return create_multi();
}
