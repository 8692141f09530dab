/*
 * loop.c
 *	  The event loop: descriptors (epoll), timers (a binary heap), and work put
 *	  off to the end of a round.
 *
 * A round is: work that was put off, the prepare hook, the wait, each ready
 * descriptor, each timer that is due.  Objects are freed only in work that was
 * put off, so within a round every pointer epoll gave us stays good.
 */
#include "base/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

#define EVENTS_PER_ROUND 256

static int	epoll_fd = -1;
static bool stopping;
static int64_t now;				/* microseconds, as each timer's due */
static int64_t wall_clock_offset;	/* milliseconds */
static int	(*prepare_hook) (void);

static LoopTimer **heap;		/* heap[1] is due first; heap[0] is unused */
static size_t heap_length;
static size_t heap_capacity;

static LoopTask *tasks;
static LoopTask **tasks_end = &tasks;

/* In microseconds. */
static int64_t
read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (int64_t) time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int64_t
loop_now(void)
{
	return now / 1000;
}

int64_t
loop_exact_time(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
loop_wall_clock(void)
{
	return read_clock(CLOCK_REALTIME) / 1000 + wall_clock_offset;
}

void
loop_set_wall_clock_offset(int64_t seconds)
{
	wall_clock_offset = seconds * 1000;
}

void
loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
	{
		perror("iotdata-emulator: epoll_create1");
		exit(1);
	}
	now = read_clock(CLOCK_MONOTONIC);
	stopping = false;
}

void
loop_free(void)
{
	close(epoll_fd);
	epoll_fd = -1;
	free(heap);
	heap = NULL;
	heap_length = heap_capacity = 0;
}

void
loop_stop(void)
{
	stopping = true;
}

void
loop_set_prepare(int (*prepare) (void))
{
	prepare_hook = prepare;
}

static void
place_timer(size_t index, LoopTimer *timer)
{
	heap[index] = timer;
	timer->heap_index = index;
}

static void
sift_timer(size_t index, LoopTimer *timer)
{
	while (index > 1 && heap[index / 2]->due > timer->due)
	{
		place_timer(index, heap[index / 2]);
		index /= 2;
	}
	for (;;)
	{
		size_t		child = index * 2;

		if (child < heap_length && heap[child + 1]->due < heap[child]->due)
			child++;
		if (child > heap_length || heap[child]->due >= timer->due)
			break;
		place_timer(index, heap[child]);
		index = child;
	}
	place_timer(index, timer);
}

void
loop_set_timer(LoopTimer *timer, int64_t due)
{
	loop_set_exact_timer(timer, due * 1000);
}

void
loop_set_exact_timer(LoopTimer *timer, int64_t due)
{
	timer->due = due;
	if (timer->heap_index == 0)
	{
		if (heap_length + 2 > heap_capacity)
		{
			heap_capacity = heap_capacity > 0 ? heap_capacity * 2 : 64;
			heap = memory_resize(heap, heap_capacity * sizeof(LoopTimer *));
		}
		heap_length++;
		place_timer(heap_length, timer);
	}
	sift_timer(timer->heap_index, timer);
}

void
loop_cancel_timer(LoopTimer *timer)
{
	size_t		index = timer->heap_index;
	LoopTimer  *last;

	if (index == 0)
		return;
	last = heap[heap_length--];
	timer->heap_index = 0;
	if (last != timer)
		sift_timer(index, last);
}

static void
run_timers(void)
{
	while (heap_length > 0 && heap[1]->due <= now)
	{
		LoopTimer  *timer = heap[1];

		loop_cancel_timer(timer);
		timer->expired(timer);
	}
}

void
loop_put_off(LoopTask *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	*tasks_end = task;
	tasks_end = &task->next;
}

void
loop_take_back(LoopTask *task)
{
	LoopTask  **link = &tasks;

	if (!task->queued)
		return;
	while (*link != task)
		link = &(*link)->next;
	*link = task->next;
	if (tasks_end == &task->next)
		tasks_end = link;
	task->queued = false;
}

void
loop_run_tasks(void)
{
	while (tasks != NULL)
	{
		LoopTask   *task = tasks;

		tasks = task->next;
		if (tasks == NULL)
			tasks_end = &tasks;
		task->queued = false;
		task->run(task);
	}
}

void
loop_init_source(LoopSource *source, int fd,
				 void (*ready) (LoopSource *source, uint32_t events))
{
	source->fd = fd;
	source->ready = ready;
}

bool
loop_add(LoopSource *source, uint32_t events)
{
	struct epoll_event event = {.events = events,.data.ptr = source};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

void
loop_modify(LoopSource *source, uint32_t events)
{
	struct epoll_event event = {.events = events,.data.ptr = source};

	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

void
loop_remove(LoopSource *source)
{
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
}

/*
 * Microseconds until the next timer, but no longer than the hook allows; -1
 * for no end.
 */
static int64_t
compute_wait(void)
{
	int64_t		wait = prepare_hook != NULL ? prepare_hook() : -1;

	if (tasks != NULL)
		return 0;
	if (wait > 0)
		wait *= 1000;
	if (heap_length > 0)
	{
		int64_t		until = heap[1]->due - read_clock(CLOCK_MONOTONIC);

		if (until < 0)
			until = 0;
		if (wait < 0 || until < wait)
			wait = until;
	}
	return wait;
}

/* The number of events, or -1 with errno set. */
static int
wait_for_events(struct epoll_event *events)
{
	int64_t		wait = compute_wait();

	if (wait > 0)
	{
		/* epoll_wait knows milliseconds only, and wakes up late for them. */
		struct timespec time = {wait / 1000000, wait % 1000000 * 1000};
		struct pollfd ready = {.fd = epoll_fd, .events = POLLIN};

		if (ppoll(&ready, 1, &time, NULL) < 0)
			return -1;
		wait = 0;
	}
	return epoll_wait(epoll_fd, events, EVENTS_PER_ROUND, (int) wait);
}

void
loop_run(void)
{
	struct epoll_event events[EVENTS_PER_ROUND];

	while (!stopping)
	{
		int			count;

		loop_run_tasks();
		count = wait_for_events(events);
		if (count < 0 && errno != EINTR)
		{
			perror("iotdata-emulator: cannot wait");
			exit(1);
		}
		now = read_clock(CLOCK_MONOTONIC);
		for (int i = 0; i < count; i++)
		{
			LoopSource *source = events[i].data.ptr;

			/* Closed by an earlier event of this round. */
			if (source->fd >= 0)
				source->ready(source, events[i].events);
		}
		run_timers();
	}
}
