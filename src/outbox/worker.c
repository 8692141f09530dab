/*
 * worker.c
 *		The background worker that sends the messages of one database.
 *
 * It stays for some seconds after it had something to do, with its connections
 * open, and leaves then; at once when there was nothing to do. It ends with an error when something is wrong that it
 * cannot mend; the launcher starts another one, after pauses that grow.
 */
#include "postgres.h"

#include "access/xact.h"
#include "call/clock.h"
#include "credentials/credentials.h"
#include "miscadmin.h"
#include "outbox/journal.h"
#include "outbox/process.h"
#include "outbox/relation.h"
#include "outbox/shards.h"
#include "outbox/transaction.h"
#include "outbox/worker.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "settings/settings.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* how long a worker stays without anything to do */
#define LINGER (5 * USECS_PER_SEC)

/* how long it waits for answers when it is told to stop */
#define STOP_TIME (5 * USECS_PER_SEC)

extern PGDLLEXPORT void iotdata_outbox_worker_main(Datum arg);

static IotDataOutboxPost post;

/* iotdata.outbox_workers when it took its shards */
static int	workers;

Datum
iotdata_outbox_worker_argument(IotDataOutboxPost its_post)
{
	return Int32GetDatum(its_post.slot * IOTDATA_OUTBOX_MAX_WORKERS + its_post.place);
}

/* It ends in whatever way; when it has left its place, this does nothing. */
static void
abandon(int code, Datum arg)
{
	iotdata_slots_abandon(post, code != 0);
}

static void
configure(void)
{
	SetConfigOption("synchronous_commit", "local", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("statement_timeout", "0", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_USERSET, PGC_S_SESSION);
}

/* Is there an outbox in the database, and anything in it? */
static bool
has_outbox(void)
{
	bool		has;

	iotdata_outbox_begin(false);
	has = iotdata_outbox_exists();
	iotdata_outbox_commit(false);
	return has;
}

/*
 * Lock the shards of this place. All or none: somebody else has the others for
 * now, and the rest of this place would be nobody's after that.
 */
static uint32
lock_shards(void)
{
	uint32		shards = 0;
	uint32		locked;

	workers = iotdata_outbox_workers;
	for (int shard = 0; shard < IOTDATA_OUTBOX_SHARDS; shard++)
	{
		if (workers > 0 && shard % workers == post.place)
			shards |= UINT32_C(1) << shard;
	}
	locked = iotdata_shards_lock(shards);
	if (locked == shards)
		return shards;
	iotdata_shards_release(locked);
	return 0;
}

static void
reload(IotDataOutboxProcess *process)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	iotdata_process_note_settings(process);
}

/* Stop sending, and record what is known. */
static void
stop(IotDataOutboxProcess *process)
{
	iotdata_process_finish(process, iotdata_clock_monotonic() + STOP_TIME);
	proc_exit(0);
}

/*
 * There is nothing to do. The shards are released first: whoever comes next may
 * come before this worker has ended. Returns false when there is something,
 * after all.
 */
static bool
leave_place(IotDataOutboxProcess *process, uint32 shards, uint64 served)
{
	uint32		locked;

	iotdata_shards_release(shards);
	if (iotdata_slots_leave(post, served, iotdata_process_next_due(process)))
		return true;
	locked = iotdata_shards_lock(shards);
	if (locked == shards)
		return false;
	/* somebody else has been faster: another worker will look after the rest */
	iotdata_shards_release(locked);
	proc_exit(0);
}

/* Until there has been nothing to do for a while. */
static void
work(IotDataOutboxProcess *process, uint32 shards)
{
	int64		idle_since = iotdata_clock_monotonic() - LINGER;
	uint64		seen = 0;

	for (;;)
	{
		bool		leave;
		uint64		generation = iotdata_slots_generation(post, &leave);
		int64		now;

		reload(process);
		if (leave || ShutdownRequestPending || workers != iotdata_outbox_workers)
			stop(process);
		if (generation != seen)
			iotdata_process_wake(process);
		seen = generation;
		now = iotdata_clock_monotonic();
		if (iotdata_process_work(process, PG_INT64_MAX) ||
			iotdata_process_has_unrecorded(process))
			idle_since = now;
		else if (now >= idle_since + LINGER && leave_place(process, shards, seen))
			return;
		pgstat_report_activity(STATE_IDLE, NULL);
		iotdata_process_wait(process, idle_since + LINGER);
	}
}

void
iotdata_outbox_worker_main(Datum arg)
{
	bool		leave;
	uint64		generation;
	uint32		shards;
	Oid			database;

	post.slot = DatumGetInt32(arg) / IOTDATA_OUTBOX_MAX_WORKERS;
	post.place = DatumGetInt32(arg) % IOTDATA_OUTBOX_MAX_WORKERS;
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	before_shmem_exit(abandon, (Datum) 0);
	database = iotdata_slots_enter(post);
	if (!OidIsValid(database))
		proc_exit(0);
	generation = iotdata_slots_generation(post, &leave);
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	configure();
	shards = leave || !has_outbox() ? 0 : lock_shards();
	if (shards == 0)
	{
		/* others send, and tell when they do not any longer */
		(void) iotdata_slots_leave(post, generation, DT_NOEND);
		proc_exit(0);
	}
	MemoryContextSwitchTo(TopMemoryContext);
	iotdata_credentials_assume_aside();
	work(iotdata_process_create(shards, false), shards);
	proc_exit(0);
}
