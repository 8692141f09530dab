/*
 * feed.c
 *		From the outbox's tables into the window, in order and without a gap.
 *
 * One feed is one snapshot. It reads
 *   due		devices in outbox_retry whose time has come: all their messages
 *				are to be read
 *   late		rows with an id that was passed already, of transactions that
 *				the snapshot before did not see: ids are taken before commit
 *   forward	rows with ids beyond all that were read, once nothing is late
 *   refill		the next messages of devices that have none left in the window
 *
 * Everything is read forward from where it was read last. Rows that were
 * deleted stay in the way of a scan as long as any session holds an old
 * snapshot, and whoever begins at the head of a queue passes them each time.
 * For the same reason these are index scans of our own: the planner may choose
 * another index.
 *
 * A row of a device that waits for another attempt is passed over: the device
 * is read from its first message when it is due. So is one for which its device
 * has no room in the window: the device is read from there when it is hungry.
 *
 * A transaction that committed asynchronously is seen before it is on disk, and
 * a crash would undo it: the log is flushed that far before anything is sent.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/pg_operator.h"
#include "miscadmin.h"
#include "outbox/baseline.h"
#include "outbox/feed.h"
#include "outbox/relation.h"
#include "outbox/row.h"
#include "settings/settings.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define MAX_FORWARD 1000		/* rows that one feed reads */
#define MAX_REFILL 16			/* rows of one device */

/* Rows of one snapshot's late transactions that are yet to be read. */
typedef struct Late
{
	IotDataXidRange *ranges;
	int			nranges;
	int			next;			/* range */
	int64		after;			/* id in its lowest transaction; 0: none */
} Late;

struct IotDataOutboxFeed
{
	MemoryContext context;
	uint32		shards;
	IotDataJournal *journal;
	bool		has_filtered;	/* the journal */
	int64		position;		/* ids up to here were read or are late */
	IotDataBaseline baseline;	/* of the snapshot that "late" was made by */
	Late		late;
	bool		has_more;
	TimestampTz due_position;
	TimestampTz next_due;
	TimestampTz read_at;
};

/* What is open during a feed. */
typedef struct Reading
{
	IotDataOutboxFeed *feed;
	IotDataOutboxWindow *window;
	IotDataOutboxRoles *roles;
	Snapshot	snapshot;
	Relation	outbox;
	Relation	by_id;
	Relation	by_device;
	Relation	by_xid;
	Relation	retry;
	Relation	retry_by_device;
	Relation	retry_by_due;
	XLogRecPtr	committed;		/* all rows of the window are, up to here */
} Reading;

IotDataOutboxFeed *
iotdata_feed_create(uint32 shards, IotDataJournal *journal)
{
	IotDataOutboxFeed *feed = palloc0(sizeof(*feed));

	feed->context = CurrentMemoryContext;
	feed->shards = shards;
	feed->journal = journal;
	feed->has_more = true;
	feed->due_position = DT_NOBEGIN;
	feed->next_due = DT_NOEND;
	feed->read_at = DT_NOBEGIN;
	return feed;
}

bool
iotdata_feed_has_more(const IotDataOutboxFeed *feed)
{
	return feed->has_more;
}

TimestampTz
iotdata_feed_next_due(const IotDataOutboxFeed *feed)
{
	TimestampTz now = GetCurrentTimestamp();

	/* the clock was set back: what is due is found anew */
	return now < feed->read_at ? now : feed->next_due;
}

void
iotdata_feed_note_due(IotDataOutboxFeed *feed, TimestampTz due)
{
	feed->next_due = Min(feed->next_due, due);
}

/* ---- scans ---- */

static Relation
open_index(const char *name)
{
	return index_open(iotdata_outbox_relation(name), AccessShareLock);
}

static Reading
open_tables(IotDataOutboxFeed *feed, IotDataOutboxWindow *window)
{
	Reading		reading = {
		.feed = feed,
		.window = window,
		.roles = iotdata_outbox_roles_create(),
		.snapshot = GetActiveSnapshot(),
		.outbox = table_open(iotdata_outbox_relation("outbox"), AccessShareLock),
		.retry = table_open(iotdata_outbox_relation("outbox_retry"), AccessShareLock),
		.by_id = open_index("outbox_pkey"),
		.by_device = open_index("outbox_device_id"),
		.by_xid = open_index("outbox_xid_id"),
		.retry_by_device = open_index("outbox_retry_pkey"),
		.retry_by_due = open_index("outbox_retry_due")
	};

	return reading;
}

static void
close_tables(Reading *reading)
{
	index_close(reading->retry_by_due, AccessShareLock);
	index_close(reading->retry_by_device, AccessShareLock);
	index_close(reading->by_xid, AccessShareLock);
	index_close(reading->by_device, AccessShareLock);
	index_close(reading->by_id, AccessShareLock);
	table_close(reading->retry, AccessShareLock);
	table_close(reading->outbox, AccessShareLock);
}

static void
set_key(ScanKeyData *key, int column, StrategyNumber strategy, RegProcedure procedure,
		Datum value)
{
	ScanKeyInit(key, (AttrNumber) column, strategy, procedure, value);
}

#define KEY_EQUAL(key, column, value) \
	set_key(key, column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(value))
#define KEY_GREATER(key, column, value) \
	set_key(key, column, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(value))
#define KEY_LESS(key, column, value) \
	set_key(key, column, BTLessStrategyNumber, F_INT8LT, Int64GetDatum(value))

static int64
get_int64(HeapTuple row, TupleDesc columns, int column)
{
	bool		isnull;

	return DatumGetInt64(heap_getattr(row, column, columns, &isnull));
}

static bool
is_ours(const IotDataOutboxFeed *feed, int64 device)
{
	return (feed->shards & (UINT32_C(1) << iotdata_outbox_shard(device))) != 0;
}

/* ---- devices that wait for another attempt ---- */

/* Does a device wait? Then it is read when it is due. */
static bool
is_blocked(Reading *reading, int64 device)
{
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	KEY_EQUAL(&key, IOTDATA_OUTBOX_RETRY_DEVICE, device);
	scan = systable_beginscan_ordered(reading->retry, reading->retry_by_device,
									  reading->snapshot, 1, &key);
	found = HeapTupleIsValid(systable_getnext_ordered(scan, ForwardScanDirection));
	systable_endscan_ordered(scan);
	return found;
}

/* The device of a row of outbox_retry is to be read from its first message. */
static void
begin_device(Reading *reading, HeapTuple row)
{
	TupleDesc	columns = RelationGetDescr(reading->retry);
	int64		key = get_int64(row, columns, IOTDATA_OUTBOX_RETRY_DEVICE);
	IotDataOutboxDevice *device;
	bool		isnull;

	if (!is_ours(reading->feed, key) || iotdata_window_find(reading->window, key) != NULL)
		return;
	device = iotdata_window_get(reading->window, key);
	device->head = get_int64(row, columns, IOTDATA_OUTBOX_RETRY_HEAD);
	device->attempts = DatumGetInt32(heap_getattr(row, IOTDATA_OUTBOX_RETRY_ATTEMPTS, columns, &isnull));
	device->unknown = DatumGetInt32(heap_getattr(row, IOTDATA_OUTBOX_RETRY_UNKNOWN, columns, &isnull));
	iotdata_window_read_from(reading->window, device, 0);
}

/*
 * No attempt is later than the longest pause from now, unless the clock was set
 * back since, or the pause was made shorter: such a device is due.
 */
static void
read_too_late(Reading *reading, TimestampTz now)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	set_key(&key, IOTDATA_OUTBOX_RETRY_DUE, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT,
			TimestampTzGetDatum(now + iotdata_outbox_max_retry_delay * INT64CONST(1000)));
	scan = systable_beginscan_ordered(reading->retry, reading->retry_by_due,
									  reading->snapshot, 1, &key);
	while (iotdata_window_has_room(reading->window) &&
		   HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
		begin_device(reading, row);
	systable_endscan_ordered(scan);
}

static void
read_due(Reading *reading)
{
	IotDataOutboxFeed *feed = reading->feed;
	TupleDesc	columns = RelationGetDescr(reading->retry);
	TimestampTz now = GetCurrentTimestamp();
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	/* the clock was set back: rows may be due that seem to have been read */
	if (now < feed->read_at)
		feed->due_position = DT_NOBEGIN;
	feed->read_at = now;
	feed->next_due = DT_NOEND;
	set_key(&key, IOTDATA_OUTBOX_RETRY_DUE, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE,
			TimestampTzGetDatum(feed->due_position));
	scan = systable_beginscan_ordered(reading->retry, reading->retry_by_due,
									  reading->snapshot, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		TimestampTz due = get_int64(row, columns, IOTDATA_OUTBOX_RETRY_DUE);

		if (due > now || !iotdata_window_has_room(reading->window))
		{
			feed->next_due = due;
			break;
		}
		feed->due_position = due;
		begin_device(reading, row);
	}
	systable_endscan_ordered(scan);
	read_too_late(reading, now);
}

/* ---- rows ---- */

static bool
belongs_here(HeapTuple row, TupleDesc columns)
{
	bool		isnull;

	return DatumGetObjectId(heap_getattr(row, IOTDATA_OUTBOX_HOME, columns, &isnull)) == MyDatabaseId;
}

/* The log is to be flushed as far as the commit of this row's transaction. */
static void
note_commit(Reading *reading, HeapTuple row)
{
	XLogRecPtr	end;

	if (HeapTupleHeaderXminFrozen(row->t_data))
		return;
	end = TransactionIdGetCommitLSN(HeapTupleHeaderGetRawXmin(row->t_data));
	reading->committed = Max(reading->committed, end);
}

static void
add_row(Reading *reading, IotDataOutboxDevice *device, HeapTuple row)
{
	IotDataOutboxMessage *message = iotdata_outbox_row_read(reading->window, row,
															RelationGetDescr(reading->outbox),
															reading->roles);
	IotDataJournalKey key;
	int			unknown;

	note_commit(reading, row);
	iotdata_window_add(reading->window, device, message);
	key = iotdata_window_journal_key(message);
	unknown = iotdata_journal_unknown(reading->feed->journal, &key);
	message->attempts += unknown;
	message->unknown += unknown;
}

/* A row that was not seen before: into the window, or passed over. */
static void
take_row(Reading *reading, HeapTuple row)
{
	TupleDesc	columns = RelationGetDescr(reading->outbox);
	int64		id = get_int64(row, columns, IOTDATA_OUTBOX_ID);
	int64		key = get_int64(row, columns, IOTDATA_OUTBOX_DEVICE);
	IotDataOutboxDevice *device;

	if (!is_ours(reading->feed, key) || !belongs_here(row, columns) ||
		iotdata_window_holds(reading->window, id))
		return;
	device = iotdata_window_find(reading->window, key);
	if (device == NULL)
	{
		if (is_blocked(reading, key))
			return;
		device = iotdata_window_get(reading->window, key);
	}
	else if (iotdata_window_knows(device, id) ||
			 (device->refill_from >= 0 && id >= device->refill_from))
		return;
	if (iotdata_window_device_has_room(device))
		add_row(reading, device, row);
	else
		iotdata_window_read_from(reading->window, device, id);
}

/* ---- late ---- */

/* Transactions that have finished since the last time; "late" is empty. */
static void
find_late(Reading *reading)
{
	IotDataOutboxFeed *feed = reading->feed;
	MemoryContext caller = MemoryContextSwitchTo(feed->context);
	IotDataBaseline current = iotdata_baseline_take(reading->snapshot);

	if (feed->late.ranges != NULL)
		pfree(feed->late.ranges);
	memset(&feed->late, 0, sizeof(feed->late));
	if (feed->baseline.xmax != 0)
	{
		feed->late.ranges = palloc(sizeof(IotDataXidRange) * (feed->baseline.nrunning + 1));
		feed->late.nranges = iotdata_baseline_finished(&feed->baseline, &current,
													   feed->late.ranges);
	}
	iotdata_baseline_free(&feed->baseline);
	feed->baseline = current;
	MemoryContextSwitchTo(caller);
}

/*
 * Take the late rows of a scan by (xid, id). Returns false when the window is
 * full; then the range begins with what was not taken.
 */
static bool
take_late(Reading *reading, ScanKeyData *keys, int nkeys)
{
	IotDataOutboxFeed *feed = reading->feed;
	TupleDesc	columns = RelationGetDescr(reading->outbox);
	SysScanDesc scan = systable_beginscan_ordered(reading->outbox, reading->by_xid,
												  reading->snapshot, nkeys, keys);
	bool		room = true;
	HeapTuple	row;

	while (room && HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		int64		id = get_int64(row, columns, IOTDATA_OUTBOX_ID);

		if (id <= feed->position)
			take_row(reading, row);
		feed->late.ranges[feed->late.next].low = (uint64) get_int64(row, columns, IOTDATA_OUTBOX_XID);
		feed->late.after = id;
		room = iotdata_window_has_room(reading->window);
	}
	systable_endscan_ordered(scan);
	return room;
}

/* Returns false when the window is full. */
static bool
read_late_range(Reading *reading)
{
	Late	   *late = &reading->feed->late;
	const IotDataXidRange *range = &late->ranges[late->next];
	ScanKeyData keys[2];

	if (late->after > 0)
	{
		KEY_EQUAL(&keys[0], IOTDATA_OUTBOX_XID, (int64) range->low);
		KEY_GREATER(&keys[1], IOTDATA_OUTBOX_ID, late->after);
		if (!take_late(reading, keys, 2))
			return false;
		KEY_GREATER(&keys[0], IOTDATA_OUTBOX_XID, (int64) range->low);
	}
	else
		KEY_GREATER(&keys[0], IOTDATA_OUTBOX_XID, (int64) range->low - 1);
	KEY_LESS(&keys[1], IOTDATA_OUTBOX_XID, (int64) range->high);
	return take_late(reading, keys, 2);
}

/* Returns whether all that is late has been read. */
static bool
read_late(Reading *reading)
{
	Late	   *late = &reading->feed->late;

	if (late->next == late->nranges)
		find_late(reading);
	while (late->next < late->nranges)
	{
		if (!iotdata_window_has_room(reading->window) || !read_late_range(reading))
			return false;
		late->next++;
		late->after = 0;
	}
	return true;
}

/* ---- forward ---- */

static void
read_forward(Reading *reading)
{
	IotDataOutboxFeed *feed = reading->feed;
	TupleDesc	columns = RelationGetDescr(reading->outbox);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row = NULL;
	int			rows = 0;

	KEY_GREATER(&key, IOTDATA_OUTBOX_ID, feed->position);
	scan = systable_beginscan_ordered(reading->outbox, reading->by_id,
									  reading->snapshot, 1, &key);
	while (rows < MAX_FORWARD && iotdata_window_has_room(reading->window) &&
		   HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		take_row(reading, row);
		feed->position = get_int64(row, columns, IOTDATA_OUTBOX_ID);
		rows++;
	}
	/* it ended for lack of rows, or for another reason */
	feed->has_more = rows == MAX_FORWARD || !iotdata_window_has_room(reading->window);
	systable_endscan_ordered(scan);
}

/* ---- refill ---- */

static void
refill_device(Reading *reading, IotDataOutboxDevice *device)
{
	TupleDesc	columns = RelationGetDescr(reading->outbox);
	int64		from = device->refill_from;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;
	int			rows = 0;

	device->refill_from = -1;
	KEY_EQUAL(&keys[0], IOTDATA_OUTBOX_DEVICE, device->key);
	KEY_GREATER(&keys[1], IOTDATA_OUTBOX_ID, from - 1);
	scan = systable_beginscan_ordered(reading->outbox, reading->by_device,
									  reading->snapshot, 2, keys);
	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		int64		id = get_int64(row, columns, IOTDATA_OUTBOX_ID);

		/* the rest is read forward, in its turn */
		if (id > reading->feed->position)
			break;
		if (!belongs_here(row, columns) || iotdata_window_knows(device, id) ||
			iotdata_window_holds(reading->window, id))
			continue;
		if (++rows > MAX_REFILL)
		{
			device->refill_from = id;
			break;
		}
		add_row(reading, device, row);
	}
	systable_endscan_ordered(scan);
	iotdata_window_place(reading->window, device);
}

static void
read_refill(Reading *reading)
{
	IotDataOutboxDevice *device;

	while (iotdata_window_has_room(reading->window) &&
		   (device = iotdata_window_pop_hungry(reading->window)) != NULL)
		refill_device(reading, device);
}

/* ---- the journal ---- */

/* Does a message of the journal still wait? */
static bool
is_there(const IotDataJournalKey *key, void *arg)
{
	const Reading *reading = arg;

	return iotdata_outbox_row_is_there(reading->outbox, reading->by_id, key->id, key->xid);
}

void
iotdata_feed_read(IotDataOutboxFeed *feed, IotDataOutboxWindow *window)
{
	Reading		reading = open_tables(feed, window);

	if (!feed->has_filtered)
		iotdata_journal_filter(feed->journal, is_there, &reading);
	feed->has_filtered = true;
	read_due(&reading);
	if (read_late(&reading))
		read_forward(&reading);
	else
		feed->has_more = true;
	read_refill(&reading);
	close_tables(&reading);
	XLogFlush(reading.committed);
}
