/*
 * launcher.c
 *		The background worker that starts those that send.
 *
 * It is started when the server has recovered, so on a standby when that is
 * promoted, and again whenever it ends. Shared memory knows nothing of what
 * waits then, so each database is given a worker once, one after the other: the
 * next one when the one before has left, or has stayed for a while, because it
 * has something to send. One that finds nothing leaves at once. After that the launcher sleeps until
 * somebody commits where no worker is, or an attempt is due.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "outbox/journal.h"
#include "outbox/launcher.h"
#include "outbox/worker.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "settings/settings.h"
#include "shared/outbox_slots.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define RESTART_SECONDS 1

/* microseconds until another try when no worker could be started */
#define NO_WORKER_PAUSE (5 * USECS_PER_SEC)

/* microseconds that the visit of a database may take before the next one */
#define VISIT_TIME (1 * USECS_PER_SEC)

extern PGDLLEXPORT void iotdata_outbox_launcher_main(Datum arg);

void
iotdata_outbox_launcher_init(void)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = RESTART_SECONDS
	};

	strlcpy(worker.bgw_name, "iotdata launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "iotdata launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "iotdata", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "iotdata_outbox_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/* The databases that can be connected to, in the current memory context. */
static List *
find_databases(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *databases = NIL;
	Relation	catalog;
	TableScanDesc scan;
	HeapTuple	row;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	catalog = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(catalog, 0, NULL);
	while (HeapTupleIsValid(row = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(row);
		MemoryContext scanning = MemoryContextSwitchTo(caller);

		if (database->datallowconn && database->datconnlimit != -2)
			databases = lappend_oid(databases, database->oid);
		MemoryContextSwitchTo(scanning);
	}
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	return databases;
}

/* Start a worker. Returns false when that cannot be now. */
static bool
start_worker(IotDataOutboxPost post, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_notify_pid = MyProcPid
	};

	worker.bgw_main_arg = iotdata_outbox_worker_argument(post);
	strlcpy(worker.bgw_name, "iotdata outbox", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "iotdata outbox", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "iotdata", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "iotdata_outbox_worker_main", BGW_MAXLEN);
	return RegisterDynamicBackgroundWorker(&worker, handle);
}

/* Databases that are yet to be visited, and the last worker that was started. */
static List *unvisited = NIL;
static BackgroundWorkerHandle *latest = NULL;
static TimestampTz latest_at = 0;

/*
 * Start a worker and wait until it is there, or has ended already: it may not
 * have come as far as to its place.
 */
static void
launch(IotDataOutboxPost post, Oid database)
{
	MemoryContext caller;
	bool		started;
	pid_t		pid;

	if (!list_member_oid(find_databases(), database))
	{
		iotdata_slots_forget(database);
		iotdata_journal_delete(database);
		return;
	}
	if (latest != NULL)
		pfree(latest);
	latest = NULL;
	latest_at = GetCurrentTimestamp();
	caller = MemoryContextSwitchTo(TopMemoryContext);
	started = start_worker(post, &latest);
	MemoryContextSwitchTo(caller);
	if (!started)
	{
		iotdata_slots_give_up(post, NO_WORKER_PAUSE);
		return;
	}
	if (WaitForBackgroundWorkerStartup(latest, &pid) != BGWH_STARTED)
		iotdata_slots_give_up(post, NO_WORKER_PAUSE);
}

/* Visit the next database; returns false when *next is when that can be. */
static bool
visit(TimestampTz *next)
{
	pid_t		pid;

	if (unvisited == NIL)
		return false;
	if (latest != NULL && GetBackgroundWorkerPid(latest, &pid) != BGWH_STOPPED &&
		GetCurrentTimestamp() < latest_at + VISIT_TIME)
	{
		*next = Min(*next, latest_at + VISIT_TIME);
		return false;
	}
	iotdata_slots_wake(linitial_oid(unvisited));
	unvisited = list_delete_first(unvisited);
	return true;
}

static void
leave(int code, Datum arg)
{
	iotdata_slots_set_launcher(false);
}

/* Each database is to be given its workers, whatever they know of it. */
static void
visit_databases(void)
{
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

	list_free(unvisited);
	unvisited = find_databases();
	MemoryContextSwitchTo(caller);
}

static void
reload(void)
{
	int			workers = iotdata_outbox_workers;

	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	/* the devices are shared out in another way */
	if (workers != iotdata_outbox_workers)
		visit_databases();
}

static void
sleep_until(TimestampTz next)
{
	long		timeout = next == DT_NOEND ? -1 :
		TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next);

	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
					 (timeout >= 0 ? WL_TIMEOUT : 0), timeout, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);

	/*
	 * a shutdown is nothing to be told as an error; after a kill it comes
	 * back
	 */
	if (ProcDiePending)
		proc_exit(1);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
		reload();
}

void
iotdata_outbox_launcher_main(Datum arg)
{
	MemoryContext context;

	/*
	 * what a worker has else ends it within the signal, in the middle of a
	 * lock
	 */
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	context = AllocSetContextCreate(TopMemoryContext, "iotdata launcher",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	before_shmem_exit(leave, (Datum) 0);
	iotdata_slots_set_launcher(true);
	visit_databases();
	for (;;)
	{
		IotDataOutboxPost post;
		TimestampTz next;
		Oid			database;

		MemoryContextReset(context);
		if (iotdata_slots_find_work(iotdata_outbox_workers, &post, &database, &next))
			launch(post, database);
		else if (!visit(&next))
			sleep_until(next);
	}
}
