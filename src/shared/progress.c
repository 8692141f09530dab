/*
 * progress.c
 *		How far the lookups have come that are under way, for other sessions to
 *		see.
 *
 * Each backend has some entries of its own, found by its number, and is the only
 * one that writes them: no lock, and nothing that costs more than a few stores.
 * Its change count is odd while an entry is written; who reads one copies it
 * again until the count was even and the same before and after, as PostgreSQL
 * does it for pg_stat_activity.
 *
 * An entry ends with the lookups, which end with the transaction at the latest;
 * those of a backend that exits are cleared once more. After a crash the memory
 * is laid out anew.
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shared/progress.h"
#include "shared/shared.h"
#include "storage/ipc.h"
#include "storage/proc.h"

/*
 * A query can join with several functions, and a session have several cursors.
 * What is beyond is not seen.
 */
#define ENTRIES_OF_BACKEND 4

/* That often an entry is copied again that its backend was writing. */
#define MAX_TRIES 1000

struct IotDataProgress
{
	uint32		changes;
	IotDataProgressRow row;
};

/* The entries of a backend have cache lines of their own. */
typedef union BackendEntries
{
	IotDataProgress entries[ENTRIES_OF_BACKEND];
	char		padded[CACHELINEALIGN(ENTRIES_OF_BACKEND * sizeof(IotDataProgress))];
} BackendEntries;

static int
backends(void)
{
	return iotdata_shared_is_preloaded() ? MaxBackends : 1;
}

Size
iotdata_progress_area_size(void)
{
	return mul_size(backends(), sizeof(BackendEntries));
}

void
iotdata_progress_area_init(void *memory, Size size)
{
	memset(memory, 0, size);
}

static IotDataProgress *
own_entries(void)
{
	BackendEntries *all = iotdata_shared_area(IOTDATA_SHARED_PROGRESS);

	return all[iotdata_shared_is_preloaded() ? iotdata_my_process_number() : 0].entries;
}

/* ---- writing ---- */

static void
begin_change(IotDataProgress *progress)
{
	progress->changes++;
	pg_write_barrier();
}

static void
end_change(IotDataProgress *progress)
{
	pg_write_barrier();
	progress->changes++;
}

/* Whoever had the entries before, they are nobody's now. */
static void
clear_entries(int code, Datum arg)
{
	IotDataProgress *entries = own_entries();

	for (int i = 0; i < ENTRIES_OF_BACKEND; i++)
		iotdata_progress_end(&entries[i]);
}

/* Each process does this once. */
static void
prepare(void)
{
	static bool is_prepared = false;

	if (is_prepared)
		return;
	clear_entries(0, (Datum) 0);
	on_shmem_exit(clear_entries, (Datum) 0);
	is_prepared = true;
}

IotDataProgress *
iotdata_progress_begin(const char *operation, IotDataRateKind kind)
{
	IotDataProgress *progress = own_entries();
	const IotDataProgress *end = progress + ENTRIES_OF_BACKEND;

	prepare();
	while (progress < end && progress->row.pid != 0)
		progress++;
	if (progress == end)
		return NULL;
	begin_change(progress);
	memset(&progress->row, 0, sizeof(progress->row));
	progress->row.pid = MyProcPid;
	progress->row.database = MyDatabaseId;
	progress->row.user = GetSessionUserId();
	strlcpy(progress->row.operation, operation, sizeof(progress->row.operation));
	progress->row.kind = kind;
	end_change(progress);
	return progress;
}

void
iotdata_progress_add_target(IotDataProgress *progress, const char *target,
							uint64 quota, int rate)
{
	IotDataProgressRow *row;

	if (progress == NULL)
		return;
	row = &progress->row;
	begin_change(progress);
	if (row->target[0] == '\0')
	{
		strlcpy(row->target, target, sizeof(row->target));
		row->quota = quota;
		row->rate = rate;
	}
	else if (strcmp(row->target, target) != 0)
		strlcpy(row->target, "(several)", sizeof(row->target));
	if (row->quota != quota)
		row->rate = 0;
	end_change(progress);
}

void
iotdata_progress_set_counts(IotDataProgress *progress, const IotDataProgressCounts *counts)
{
	if (progress == NULL)
		return;
	begin_change(progress);
	progress->row.counts = *counts;
	end_change(progress);
}

void
iotdata_progress_set_calls(IotDataProgress *progress, int in_flight, int64 waiting_since)
{
	if (progress == NULL)
		return;
	begin_change(progress);
	progress->row.calls_in_flight = in_flight;
	progress->row.waiting_since = waiting_since;
	end_change(progress);
}

void
iotdata_progress_end(IotDataProgress *progress)
{
	if (progress == NULL)
		return;
	begin_change(progress);
	progress->row.pid = 0;
	end_change(progress);
}

/* ---- reading ---- */

/* Returns whether the copy is of one moment. */
static bool
copy_row(IotDataProgressRow *row, const IotDataProgress *progress)
{
	uint32		before = *(const volatile uint32 *) &progress->changes;

	pg_read_barrier();
	memcpy(row, &progress->row, sizeof(*row));
	pg_read_barrier();
	return before % 2 == 0 && before == *(const volatile uint32 *) &progress->changes;
}

bool
iotdata_progress_get(int index, IotDataProgressRow *row)
{
	const BackendEntries *all = iotdata_shared_area(IOTDATA_SHARED_PROGRESS);

	if (index < 0 || index / ENTRIES_OF_BACKEND >= backends())
		return false;

	/*
	 * A backend that was stopped in the middle of a change is not waited for:
	 * then the numbers are of two moments.
	 */
	for (int i = 0; i < MAX_TRIES; i++)
	{
		if (copy_row(row, &all[index / ENTRIES_OF_BACKEND].entries[index % ENTRIES_OF_BACKEND]))
			break;
	}
	return true;
}
