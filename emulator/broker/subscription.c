/*
 * subscription.c
 *	  Who is subscribed to what: per subscriber, and over all of them.
 *
 * Every distinct filter exists once, with the subscriptions to it in a list.
 * A published topic is looked up among the filters by its own text, and
 * matched against those with a wildcard, one after the other.
 */
#include "broker/subscription.h"

#include <stdlib.h>

#include "base/memory.h"
#include "broker/topic.h"

typedef struct Filter
{
	TableEntry	entry;			/* key: its text, which it owns */
	char	   *text;
	Subscription *subscriptions;
	bool		has_wildcard;
	struct Filter *next;		/* among those with a wildcard */
	struct Filter **link;
} Filter;

static Table filters;
static Filter *wildcards;

static Filter *
find_or_make_filter(const char *text)
{
	Filter	   *filter = (Filter *) table_find(&filters, text);

	if (filter != NULL)
		return filter;
	filter = memory_alloc(sizeof(Filter));
	filter->text = memory_copy_string(text);
	filter->entry.key = filter->text;
	filter->has_wildcard = topic_has_wildcard(text);
	table_add(&filters, &filter->entry);
	if (filter->has_wildcard)
	{
		filter->next = wildcards;
		filter->link = &wildcards;
		if (wildcards != NULL)
			wildcards->link = &filter->next;
		wildcards = filter;
	}
	return filter;
}

static void
drop_filter(Filter *filter)
{
	if (filter->has_wildcard)
	{
		*filter->link = filter->next;
		if (filter->next != NULL)
			filter->next->link = filter->link;
	}
	table_remove(&filters, &filter->entry);
	free(filter->text);
	free(filter);
}

Subscription *
subscription_find(Subscriber *subscriber, const char *filter)
{
	return (Subscription *) table_find(&subscriber->subscriptions, filter);
}

Subscription *
subscription_add(Subscriber *subscriber, const char *text)
{
	Subscription *subscription = subscription_find(subscriber, text);
	Filter	   *filter;

	if (subscription != NULL)
		return subscription;
	filter = find_or_make_filter(text);
	subscription = memory_alloc(sizeof(Subscription));
	subscription->entry.key = filter->text;
	subscription->subscriber = subscriber;
	subscription->filter = filter;
	subscription->next = filter->subscriptions;
	subscription->link = &filter->subscriptions;
	if (filter->subscriptions != NULL)
		filter->subscriptions->link = &subscription->next;
	filter->subscriptions = subscription;
	table_add(&subscriber->subscriptions, &subscription->entry);
	return subscription;
}

void
subscription_remove(Subscription *subscription)
{
	Filter	   *filter = subscription->filter;

	table_remove(&subscription->subscriber->subscriptions, &subscription->entry);
	*subscription->link = subscription->next;
	if (subscription->next != NULL)
		subscription->next->link = subscription->link;
	free(subscription);
	if (filter->subscriptions == NULL)
		drop_filter(filter);
}

void
subscription_remove_all(Subscriber *subscriber)
{
	uint64_t	sequence = 0;
	TableEntry *entry;

	while ((entry = table_after(&subscriber->subscriptions, sequence)) != NULL)
	{
		sequence = entry->sequence;
		subscription_remove((Subscription *) entry);
	}
	table_free(&subscriber->subscriptions);
}

static void
report_filter(Filter *filter, void (*found) (Subscription *, void *), void *argument)
{
	for (Subscription *subscription = filter->subscriptions; subscription != NULL;
		 subscription = subscription->next)
		found(subscription, argument);
}

void
subscription_match(const char *topic, void (*found) (Subscription *, void *),
				   void *argument)
{
	Filter	   *exact = (Filter *) table_find(&filters, topic);

	if (exact != NULL)
		report_filter(exact, found, argument);
	for (Filter *filter = wildcards; filter != NULL; filter = filter->next)
		if (topic_matches(filter->text, topic))
			report_filter(filter, found, argument);
}

void
subscription_free(void)
{
	table_free(&filters);
}
