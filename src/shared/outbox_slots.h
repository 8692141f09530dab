/*
 * outbox_slots.h
 *		Which databases have messages waiting, and who sends them.
 *
 * A database has a slot once something was queued in it. Its generation is
 * raised by every transaction that queued. A place is where one of the
 * database's workers is, or could be: it knows the generation that was served
 * when its worker left. Whoever commits finds the worker there, and wakes it,
 * or finds nobody, and wakes the launcher: a worker leaves under the area's
 * lock, and only when the generation is the one that it has served.
 *
 * Processes are named by their number in PostgreSQL's array of them, never by
 * an address. A number may be another process's meanwhile: it is woken for
 * nothing, no more. Only of use when the memory is the whole cluster's.
 */
#ifndef IOTDATA_SHARED_OUTBOX_SLOTS_H
#define IOTDATA_SHARED_OUTBOX_SLOTS_H

#include "postgres.h"

#include "datatype/timestamp.h"

#define IOTDATA_OUTBOX_MAX_WORKERS 16

/* A place of a slot. */
typedef struct IotDataOutboxPost
{
	int			slot;
	int			place;
} IotDataOutboxPost;

/* Something was committed in a database: tell those who send its messages. */
extern void iotdata_slots_wake(Oid database);

/* The launcher is this process, or (when it ends) nobody. */
extern void iotdata_slots_set_launcher(bool here);

/*
 * For the launcher: a place where a worker is missing, for one of the first
 * "workers" places of a slot; its database. It counts as taken from then on.
 * Returns false when none is; then *next is when one will be (DT_NOEND: not
 * known).
 */
extern bool iotdata_slots_find_work(int workers, IotDataOutboxPost *post, Oid *database,
									TimestampTz *next);

/* A worker could not be started: not before "pause" microseconds are over. */
extern void iotdata_slots_give_up(IotDataOutboxPost post, int64 pause);

/* A database is not there any more. */
extern void iotdata_slots_forget(Oid database);

/* For a worker: it has come, to its place; the slot's database. */
extern Oid	iotdata_slots_enter(IotDataOutboxPost post);

/* The generation, and whether the worker is to leave. */
extern uint64 iotdata_slots_generation(IotDataOutboxPost post, bool *leave);

/*
 * The worker has nothing to do until "next_due". Returns false, and it stays,
 * when the generation is not "served" any more.
 */
extern bool iotdata_slots_leave(IotDataOutboxPost post, uint64 served, TimestampTz next_due);

/* The worker ends for another reason: it is started again, in a while. */
extern void iotdata_slots_abandon(IotDataOutboxPost post, bool failed);

/*
 * Ask a database's workers to leave, and keep them away until it is let go. The
 * other tells whether they have left.
 */
extern void iotdata_slots_hold(Oid database);
extern void iotdata_slots_let_go(Oid database);
extern bool iotdata_slots_are_empty(Oid database);

/* For areas.c: the area's size, and its first state. */
extern Size iotdata_slots_area_size(void);
extern void iotdata_slots_area_init(void *memory, Size size);

#endif							/* IOTDATA_SHARED_OUTBOX_SLOTS_H */
