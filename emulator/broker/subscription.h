/*
 * subscription.h
 *	  Who is subscribed to what: per session, and over all sessions.
 */
#ifndef EMULATOR_SUBSCRIPTION_H
#define EMULATOR_SUBSCRIPTION_H

#include <stdbool.h>

#include "base/table.h"

struct Session;
struct Filter;

typedef struct Subscription
{
	TableEntry	entry;			/* key: the filter; in the session's table */
	struct Session *session;
	struct Filter *filter;
	struct Subscription *next;	/* of the same filter, other sessions */
	struct Subscription **link;
	unsigned	qos;
	bool		no_local;
	bool		retain_as_published;
} Subscription;

/* The session's subscription to filter, made if there was none. */
extern Subscription *subscription_add(struct Session *session, const char *filter);
extern Subscription *subscription_find(struct Session *session, const char *filter);
extern void subscription_remove(Subscription *subscription);
extern void subscription_remove_all(struct Session *session);

/* Calls found for each subscription that matches the topic. */
extern void subscription_match(const char *topic,
							   void (*found) (Subscription *subscription, void *argument),
							   void *argument);

/* At the end of the program, when no subscription is left. */
extern void subscription_free(void);

#endif							/* EMULATOR_SUBSCRIPTION_H */
