/*
 * retained.c
 *	  The last retained message of each topic.
 */
#include "broker/retained.h"

#include <stdlib.h>

#include "base/loop.h"
#include "base/memory.h"

static Table table;

static void
drop(RetainedMessage *retained)
{
	table_remove(&table, &retained->entry);
	message_release(retained->message);
	free(retained);
}

void
retained_store(Message *message)
{
	RetainedMessage *retained = (RetainedMessage *) table_find(&table, message->topic);

	if (message->payload.length == 0)
	{
		if (retained != NULL)
			drop(retained);
		return;
	}
	message_share(message);
	if (retained == NULL)
	{
		retained = memory_alloc(sizeof(RetainedMessage));
		retained->entry.key = message->topic;
		table_add(&table, &retained->entry);
	}
	else
	{
		retained->entry.key = message->topic;
		message_release(retained->message);
	}
	retained->message = message;
	retained->modified = loop_wall_clock();
}

RetainedMessage *
retained_find(const char *topic)
{
	RetainedMessage *retained = (RetainedMessage *) table_find(&table, topic);

	if (retained != NULL && message_is_expired(retained->message))
	{
		drop(retained);
		return NULL;
	}
	return retained;
}

RetainedMessage *
retained_after(uint64_t sequence)
{
	RetainedMessage *retained;

	while ((retained = (RetainedMessage *) table_after(&table, sequence)) != NULL &&
		   message_is_expired(retained->message))
		drop(retained);
	return retained;
}

void
retained_free_all(void)
{
	uint64_t	sequence = 0;
	TableEntry *entry;

	while ((entry = table_after(&table, sequence)) != NULL)
	{
		sequence = entry->sequence;
		drop((RetainedMessage *) entry);
	}
	table_free(&table);
}
