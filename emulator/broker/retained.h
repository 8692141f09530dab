/*
 * retained.h
 *	  The last retained message of each topic.
 */
#ifndef EMULATOR_RETAINED_H
#define EMULATOR_RETAINED_H

#include "base/table.h"
#include "broker/message.h"

typedef struct RetainedMessage
{
	TableEntry	entry;			/* key: the message's topic */
	Message    *message;
	int64_t		modified;		/* ms of Unix time */
} RetainedMessage;

/* An empty payload removes what the topic had. */
extern void retained_store(Message *message);

/* NULL: none, or expired. */
extern RetainedMessage *retained_find(const char *topic);

/* The first one, not expired, after that sequence; NULL at the end. */
extern RetainedMessage *retained_after(uint64_t sequence);

extern void retained_free_all(void);

#endif							/* EMULATOR_RETAINED_H */
