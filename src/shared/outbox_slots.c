/*
 * outbox_slots.c
 *		Which databases have messages waiting, and who sends them.
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "shared/outbox_slots.h"
#include "shared/shared.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#define MAX_SLOTS 256
#define NOBODY (-1)
#define COMING (-2)				/* a worker that is being started */
#define LONGEST_PAUSE (60 * USECS_PER_SEC)

typedef struct Place
{
	int			process;		/* number, NOBODY or COMING */
	uint64		served;			/* generation */
	TimestampTz next_due;
	TimestampTz not_before;
	TimestampTz left_at;		/* when these two were set */
	int			failures;		/* one after the other */
} Place;

typedef struct Slot
{
	Oid			database;		/* InvalidOid: the slot is free */
	uint64		generation;
	int			holders;
	Place		places[IOTDATA_OUTBOX_MAX_WORKERS];
} Slot;

typedef struct Slots
{
	int			launcher;
	int			workers;		/* places of each slot that are used */
	Slot		slots[MAX_SLOTS];
} Slots;

Size
iotdata_slots_area_size(void)
{
	return sizeof(Slots);
}

static void
clear_slot(Slot *slot, Oid database)
{
	memset(slot, 0, sizeof(*slot));
	slot->database = database;
	for (int i = 0; i < IOTDATA_OUTBOX_MAX_WORKERS; i++)
	{
		slot->places[i].process = NOBODY;
		slot->places[i].next_due = DT_NOEND;
	}
}

void
iotdata_slots_area_init(void *memory, Size size)
{
	Slots	   *slots = memory;

	slots->launcher = NOBODY;
	for (int i = 0; i < MAX_SLOTS; i++)
		clear_slot(&slots->slots[i], InvalidOid);
}

static Slots *
lock_slots(void)
{
	Slots	   *slots = iotdata_shared_area(IOTDATA_SHARED_OUTBOX);

	iotdata_shared_lock(IOTDATA_SHARED_OUTBOX, LW_EXCLUSIVE);
	return slots;
}

static void
unlock_slots(void)
{
	iotdata_shared_unlock(IOTDATA_SHARED_OUTBOX);
}

static void
wake(int process)
{
	if (process >= 0)
		SetLatch(&ProcGlobal->allProcs[process].procLatch);
}

/* A database's slot; NULL: it has none and none is made, or none is free. */
static Slot *
find_slot(Slots *slots, Oid database, bool make)
{
	Slot	   *free_slot = NULL;

	for (int i = 0; i < MAX_SLOTS; i++)
	{
		if (slots->slots[i].database == database)
			return &slots->slots[i];
		if (free_slot == NULL && slots->slots[i].database == InvalidOid)
			free_slot = &slots->slots[i];
	}
	if (!make || free_slot == NULL)
		return NULL;
	clear_slot(free_slot, database);
	return free_slot;
}

static void
wake_workers(const Slots *slots, const Slot *slot)
{
	for (int i = 0; i < IOTDATA_OUTBOX_MAX_WORKERS; i++)
		wake(slot->places[i].process);
	wake(slots->launcher);
}

void
iotdata_slots_wake(Oid database)
{
	Slots	   *slots = lock_slots();
	Slot	   *slot = find_slot(slots, database, true);

	if (slot != NULL)
	{
		bool		served = true;

		slot->generation++;
		for (int i = 0; i < IOTDATA_OUTBOX_MAX_WORKERS; i++)
		{
			wake(slot->places[i].process);
			/* each has devices that no other one sends to */
			if (i < slots->workers && slot->places[i].process == NOBODY)
				served = false;
		}
		if (!served)
			wake(slots->launcher);
	}
	unlock_slots();
}

/* ---- the launcher ---- */

void
iotdata_slots_set_launcher(bool here)
{
	Slots	   *slots = lock_slots();

	slots->launcher = here ? iotdata_my_process_number() : NOBODY;
	for (int i = 0; here && i < MAX_SLOTS; i++)
	{
		for (int j = 0; j < IOTDATA_OUTBOX_MAX_WORKERS; j++)
		{
			/* the launcher before this one had asked for it */
			if (slots->slots[i].places[j].process == COMING)
				slots->slots[i].places[j].process = NOBODY;
		}
	}
	unlock_slots();
}

/* When a place needs a worker; DT_NOEND: it has one, or needs none. */
static TimestampTz
needed_at(const Slot *slot, const Place *place, TimestampTz now)
{
	TimestampTz at = place->served != slot->generation ? DT_NOBEGIN : place->next_due;

	if (place->process != NOBODY || slot->holders > 0)
		return DT_NOEND;
	/* the clock was set back, and they mean nothing */
	if (now < place->left_at)
		return DT_NOBEGIN;
	return Max(at, place->not_before);
}

bool
iotdata_slots_find_work(int workers, IotDataOutboxPost *post, Oid *database,
						TimestampTz *next)
{
	TimestampTz now = GetCurrentTimestamp();
	Slots	   *slots = lock_slots();
	bool		found = false;

	*next = DT_NOEND;
	slots->workers = workers;
	for (int i = 0; i < MAX_SLOTS && !found; i++)
	{
		Slot	   *slot = &slots->slots[i];

		for (int j = 0; j < workers && !found && slot->database != InvalidOid; j++)
		{
			TimestampTz at = needed_at(slot, &slot->places[j], now);

			*next = Min(*next, at);
			if (at > now)
				continue;
			slot->places[j].process = COMING;
			*post = (IotDataOutboxPost) {i, j};
			*database = slot->database;
			found = true;
		}
	}
	unlock_slots();
	return found;
}

void
iotdata_slots_give_up(IotDataOutboxPost post, int64 pause)
{
	Slots	   *slots = lock_slots();
	Place	   *place = &slots->slots[post.slot].places[post.place];

	if (place->process == COMING)
	{
		place->process = NOBODY;
		place->left_at = GetCurrentTimestamp();
		place->not_before = place->left_at + pause;
	}
	unlock_slots();
}

void
iotdata_slots_forget(Oid database)
{
	Slots	   *slots = lock_slots();
	Slot	   *slot = find_slot(slots, database, false);

	if (slot != NULL)
		clear_slot(slot, InvalidOid);
	unlock_slots();
}

/* ---- a worker ---- */

Oid
iotdata_slots_enter(IotDataOutboxPost post)
{
	Slots	   *slots = lock_slots();
	Oid			database = slots->slots[post.slot].database;

	if (database != InvalidOid)
		slots->slots[post.slot].places[post.place].process = iotdata_my_process_number();
	unlock_slots();
	return database;
}

uint64
iotdata_slots_generation(IotDataOutboxPost post, bool *leave)
{
	Slots	   *slots = lock_slots();
	const Slot *slot = &slots->slots[post.slot];
	uint64		generation = slot->generation;

	*leave = slot->holders > 0;
	unlock_slots();
	return generation;
}

bool
iotdata_slots_leave(IotDataOutboxPost post, uint64 served, TimestampTz next_due)
{
	Slots	   *slots = lock_slots();
	Slot	   *slot = &slots->slots[post.slot];
	Place	   *place = &slot->places[post.place];
	bool		leaves = slot->generation == served;

	if (leaves)
	{
		place->process = NOBODY;
		place->served = served;
		place->next_due = next_due;
		place->not_before = 0;
		place->left_at = GetCurrentTimestamp();
		place->failures = 0;
		wake(slots->launcher);
	}
	unlock_slots();
	return leaves;
}

void
iotdata_slots_abandon(IotDataOutboxPost post, bool failed)
{
	Slots	   *slots = lock_slots();
	Slot	   *slot = &slots->slots[post.slot];
	Place	   *place = &slot->places[post.place];

	if (place->process == iotdata_my_process_number())
	{
		int64		pause = USECS_PER_SEC;

		for (int i = 0; i < place->failures && pause < LONGEST_PAUSE; i++)
			pause *= 2;
		place->process = NOBODY;
		place->failures += failed;
		place->left_at = GetCurrentTimestamp();
		place->not_before = failed ? place->left_at + Min(pause, LONGEST_PAUSE) : 0;

		/*
		 * what it has read and not sent is to be looked for again, by those
		 * too who found that it had their shards
		 */
		place->next_due = DT_NOBEGIN;
		slot->generation++;
		wake(slots->launcher);
	}
	unlock_slots();
}

/* ---- a database that nobody is to be connected to ---- */

void
iotdata_slots_hold(Oid database)
{
	Slots	   *slots = lock_slots();
	Slot	   *slot = find_slot(slots, database, true);

	if (slot != NULL)
	{
		slot->holders++;
		wake_workers(slots, slot);
	}
	unlock_slots();
}

void
iotdata_slots_let_go(Oid database)
{
	Slots	   *slots = lock_slots();
	Slot	   *slot = find_slot(slots, database, false);

	if (slot != NULL && slot->holders > 0)
		slot->holders--;
	wake(slots->launcher);
	unlock_slots();
}

bool
iotdata_slots_are_empty(Oid database)
{
	Slots	   *slots = lock_slots();
	const Slot *slot = find_slot(slots, database, false);
	bool		empty = true;

	for (int i = 0; slot != NULL && i < IOTDATA_OUTBOX_MAX_WORKERS; i++)
		empty = empty && slot->places[i].process == NOBODY;
	unlock_slots();
	return empty;
}
