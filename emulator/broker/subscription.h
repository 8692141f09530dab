/*
 * subscription.h
 *	  Who is subscribed to what: per subscriber, and over all of them.
 */
#ifndef EMULATOR_SUBSCRIPTION_H
#define EMULATOR_SUBSCRIPTION_H

#include <stdbool.h>

#include "base/table.h"
#include "broker/delivery.h"

struct Filter;

/* One of those who get what is published; zero-initialized it gets nothing. */
typedef struct Subscriber
{
	Table		subscriptions;
	Delivery	delivery;		/* its messages on their way */
	uint64_t	match_round;	/* router.c: the last publish that matched */
	size_t		match_index;
} Subscriber;

typedef struct Subscription
{
	TableEntry	entry;			/* key: the filter; in the subscriber's table */
	Subscriber *subscriber;
	struct Filter *filter;
	struct Subscription *next;	/* of the same filter, other subscribers */
	struct Subscription **link;
	unsigned	qos;
	bool		no_local;
	bool		retain_as_published;
} Subscription;

/* The subscription to filter, made if there was none. */
extern Subscription *subscription_add(Subscriber *subscriber, const char *filter);
extern Subscription *subscription_find(Subscriber *subscriber, const char *filter);
extern void subscription_remove(Subscription *subscription);
extern void subscription_remove_all(Subscriber *subscriber);

/* Calls found for each subscription that matches the topic. */
extern void subscription_match(const char *topic,
							   void (*found) (Subscription *subscription, void *argument),
							   void *argument);

/* At the end of the program, when no subscription is left. */
extern void subscription_free(void);

#endif							/* EMULATOR_SUBSCRIPTION_H */
