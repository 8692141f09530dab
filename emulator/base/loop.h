/*
 * loop.h
 *	  The event loop: descriptors, timers, and work put off to the end of a
 *	  round.  One thread, so nothing here is locked.
 */
#ifndef EMULATOR_LOOP_H
#define EMULATOR_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/* A descriptor that is watched; embedded in what owns it. */
typedef struct LoopSource
{
	int			fd;
	void		(*ready) (struct LoopSource *source, uint32_t events);
} LoopSource;

/* Something to do once at a time; zero-initialized it is not set. */
typedef struct LoopTimer
{
	int64_t		due;			/* loop_exact_time()'s clock */
	size_t		heap_index;		/* 0 while not set */
	void		(*expired) (struct LoopTimer *timer);
} LoopTimer;

/*
 * Work put off until every event of the round has been handed out.  Whatever
 * frees an object with a LoopSource does so here, because a later event of
 * the same round may still point at it.
 */
typedef struct LoopTask
{
	struct LoopTask *next;
	bool		queued;
	void		(*run) (struct LoopTask *task);
} LoopTask;

extern void loop_init(void);
extern void loop_free(void);

/* Runs until loop_stop(). */
extern void loop_run(void);
extern void loop_stop(void);

/* Runs what is put off now; used at the end of the program. */
extern void loop_run_tasks(void);

/*
 * Called before each wait; returns the milliseconds after which it wants to
 * be called again, or -1.
 */
extern void loop_set_prepare(int (*prepare) (void));

extern void loop_init_source(LoopSource *source, int fd,
							 void (*ready) (LoopSource *source, uint32_t events));
extern bool loop_add(LoopSource *source, uint32_t events);
extern void loop_modify(LoopSource *source, uint32_t events);
extern void loop_remove(LoopSource *source);

/* When it is due: by loop_now(), and by loop_exact_time(). */
extern void loop_set_timer(LoopTimer *timer, int64_t due);
extern void loop_set_exact_timer(LoopTimer *timer, int64_t due);
extern void loop_cancel_timer(LoopTimer *timer);

extern void loop_put_off(LoopTask *task);
extern void loop_take_back(LoopTask *task);

/* Milliseconds of a clock that never jumps, as of the start of the round. */
extern int64_t loop_now(void);

/* Microseconds of the same clock, as of now. */
extern int64_t loop_exact_time(void);

/* Milliseconds of Unix time, by a clock that may be set to be off. */
extern int64_t loop_wall_clock(void);
extern void loop_set_wall_clock_offset(int64_t seconds);

#endif							/* EMULATOR_LOOP_H */
