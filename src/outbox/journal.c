/*
 * journal.c
 *		Which messages are in flight, for whoever comes after a process that was
 *		killed.
 *
 * A small file for each database, which is written before a message is sent and
 * not synchronized: the operating system keeps it when a process is killed, and
 * the whole server with it. When the machine fails it may be lost; then
 * messages are sent again without being counted. It is among what no base
 * backup has.
 *
 * Entries of the shards take turns in the file, so that each shard's owner
 * writes its own, and the file is no longer than it must be. A message is known
 * by its transaction, too: one that is queued again is another one.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "miscadmin.h"
#include "outbox/journal.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define SLOTS 4096				/* of each shard */
#define MOST_ATTEMPTS 1000000	/* what is more is not ours */

/* As it is in the file; all zero: the slot is free. */
typedef struct Record
{
	int64		id;
	int64		xid;
	int64		attempts;		/* of unknown fate, with the one in flight */
} Record;

typedef struct Entry
{
	int64		id;				/* hash key */
	IotDataJournalKey key;
	int			unknown;		/* attempts of others */
	int			slot;
} Entry;

struct IotDataJournal
{
	File		file;
	HTAB	   *entries;
	bool		used[IOTDATA_OUTBOX_SHARDS][SLOTS];
	int			lowest[IOTDATA_OUTBOX_SHARDS];	/* none below is free */
	MemoryContextCallback at_reset;
};

int
iotdata_outbox_shard(int64 device)
{
	return (int) ((uint64) device % IOTDATA_OUTBOX_SHARDS);
}

/* ---- the file ---- */

static const char *
file_name(Oid database)
{
	return psprintf(PG_STAT_TMP_DIR "/iotdata_outbox.%u", database);
}

static void
close_file(void *arg)
{
	FileClose(((IotDataJournal *) arg)->file);
}

static void
raise_file_error(const char *what)
{
	ereport(ERROR,
			errcode_for_file_access(),
			errmsg("could not %s file \"%s\": %m", what, file_name(MyDatabaseId)));
}

static void
write_record(const IotDataJournal *journal, const Entry *entry, int attempts)
{
	Record		record = {0};
	off_t		place = (off_t) entry->slot * IOTDATA_OUTBOX_SHARDS + iotdata_outbox_shard(entry->key.device);

	if (attempts > 0)
		record = (Record) {entry->key.id, entry->key.xid, attempts};
	errno = 0;
	if (FileWrite(journal->file, (char *) &record, sizeof(record),
				  place * (off_t) sizeof(record), PG_WAIT_EXTENSION) != (int) sizeof(record))
	{
		if (errno == 0)
			errno = ENOSPC;
		raise_file_error("write to");
	}
}

void
iotdata_journal_delete(Oid database)
{
	(void) unlink(file_name(database));
}

/* ---- slots ---- */

static int
take_slot(IotDataJournal *journal, int shard)
{
	int			slot = journal->lowest[shard];

	while (slot < SLOTS - 1 && journal->used[shard][slot])
		slot++;
	journal->used[shard][slot] = true;
	journal->lowest[shard] = slot;
	return slot;
}

static void
give_slot(IotDataJournal *journal, int shard, int slot)
{
	journal->used[shard][slot] = false;
	journal->lowest[shard] = Min(journal->lowest[shard], slot);
}

/* ---- what others left ---- */

static void
load_record(IotDataJournal *journal, const Record *record, int shard, int slot)
{
	Entry	   *entry;

	if (record->id <= 0 || record->attempts <= 0 || record->attempts > MOST_ATTEMPTS)
		return;
	entry = hash_search(journal->entries, &record->id, HASH_ENTER, NULL);
	/* the shard is all that is known of the device */
	entry->key = (IotDataJournalKey) {shard, record->id, record->xid};
	entry->unknown = (int) record->attempts;
	entry->slot = slot;
	journal->used[shard][slot] = true;
}

static void
load(IotDataJournal *journal, uint32 shards)
{
	Record		row[IOTDATA_OUTBOX_SHARDS];

	for (int slot = 0; slot < SLOTS; slot++)
	{
		int			size = FileRead(journal->file, (char *) row, sizeof(row),
									(off_t) slot * (off_t) sizeof(row), PG_WAIT_EXTENSION);

		if (size < 0)
			raise_file_error("read");
		for (int shard = 0; shard < size / (int) sizeof(Record); shard++)
		{
			if ((shards & (UINT32_C(1) << shard)) != 0)
				load_record(journal, &row[shard], shard, slot);
		}
		if (size < (int) sizeof(row))
			break;
	}
}

IotDataJournal *
iotdata_journal_open(uint32 shards)
{
	IotDataJournal *journal = palloc0(sizeof(*journal));
	HASHCTL		table = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(Entry),
		.hcxt = CurrentMemoryContext
	};

	journal->entries = hash_create("iotdata outbox journal", 256, &table,
								   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	journal->file = PathNameOpenFile(file_name(MyDatabaseId), O_RDWR | O_CREAT | PG_BINARY);
	if (journal->file < 0)
		raise_file_error("open");
	journal->at_reset.func = close_file;
	journal->at_reset.arg = journal;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &journal->at_reset);
	load(journal, shards);
	return journal;
}

/* ---- messages ---- */

static Entry *
find(const IotDataJournal *journal, const IotDataJournalKey *key)
{
	Entry	   *entry = hash_search(journal->entries, &key->id, HASH_FIND, NULL);

	return entry != NULL && entry->key.xid == key->xid ? entry : NULL;
}

int
iotdata_journal_unknown(const IotDataJournal *journal, const IotDataJournalKey *key)
{
	const Entry *entry = find(journal, key);

	return entry != NULL ? entry->unknown : 0;
}

void
iotdata_journal_add(IotDataJournal *journal, const IotDataJournalKey *key)
{
	bool		found;
	Entry	   *entry = hash_search(journal->entries, &key->id, HASH_ENTER, &found);

	if (!found)
		entry->slot = take_slot(journal, iotdata_outbox_shard(key->device));
	if (!found || entry->key.xid != key->xid)
		entry->unknown = 0;
	entry->key = *key;
	write_record(journal, entry, entry->unknown + 1);
}

void
iotdata_journal_remove(IotDataJournal *journal, const IotDataJournalKey *key)
{
	const Entry *entry = find(journal, key);

	if (entry == NULL)
		return;
	write_record(journal, entry, 0);
	give_slot(journal, iotdata_outbox_shard(entry->key.device), entry->slot);
	hash_search(journal->entries, &key->id, HASH_REMOVE, NULL);
}

void
iotdata_journal_take_back(IotDataJournal *journal, const IotDataJournalKey *key)
{
	const Entry *entry = find(journal, key);

	if (entry != NULL && entry->unknown > 0)
		write_record(journal, entry, entry->unknown);
	else
		iotdata_journal_remove(journal, key);
}

void
iotdata_journal_filter(IotDataJournal *journal,
					   bool (*keep) (const IotDataJournalKey *key, void *arg), void *arg)
{
	HASH_SEQ_STATUS status;
	const Entry *entry;

	hash_seq_init(&status, journal->entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		IotDataJournalKey key = entry->key;

		if (!keep(&key, arg))
			iotdata_journal_remove(journal, &key);
	}
}
