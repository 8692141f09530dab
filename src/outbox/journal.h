/*
 * journal.h
 *		Which messages are in flight, for whoever comes after a process that was
 *		killed.
 */
#ifndef IOTDATA_OUTBOX_JOURNAL_H
#define IOTDATA_OUTBOX_JOURNAL_H

#include "postgres.h"

/* A device belongs to one of these, by its hash. */
#define IOTDATA_OUTBOX_SHARDS 16

extern int	iotdata_outbox_shard(int64 device);

/* A message, as long as it is the one of that transaction. */
typedef struct IotDataJournalKey
{
	int64		device;
	int64		id;
	int64		xid;
} IotDataJournalKey;

typedef struct IotDataJournal IotDataJournal;

/*
 * The current database's journal of the shards whose bits are set, in the
 * current memory context, with what others have left there. Only one process
 * may have a shard open. Raises errors of files.
 */
extern IotDataJournal *iotdata_journal_open(uint32 shards);

/*
 * How many attempts the others made for a message without leaving word of what
 * came of them.
 */
extern int	iotdata_journal_unknown(const IotDataJournal *journal, const IotDataJournalKey *key);

/* A message is about to be sent. Raises errors of files. */
extern void iotdata_journal_add(IotDataJournal *journal, const IotDataJournalKey *key);

/* The attempt came to nothing, certainly: it is as if it had not been. */
extern void iotdata_journal_take_back(IotDataJournal *journal, const IotDataJournalKey *key);

/* What became of the message is recorded, or nobody asks any more. */
extern void iotdata_journal_remove(IotDataJournal *journal, const IotDataJournalKey *key);

/* Call "keep" for what is there, and remove those for which it returns false. */
extern void iotdata_journal_filter(IotDataJournal *journal,
								   bool (*keep) (const IotDataJournalKey *key, void *arg),
								   void *arg);

/* The journal of a database that is not there any more. */
extern void iotdata_journal_delete(Oid database);

#endif							/* IOTDATA_OUTBOX_JOURNAL_H */
