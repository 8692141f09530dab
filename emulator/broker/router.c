/*
 * router.c
 *	  A published message to all who are subscribed to its topic.
 *
 * Matching and delivering are two passes: the first collects, for each
 * subscriber, the best of the subscriptions that match, so that overlapping
 * ones give one copy.
 */
#include "broker/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "broker/retained.h"
#include "broker/topic.h"

typedef struct Match
{
	Subscriber *subscriber;
	unsigned	qos;
	bool		retain_as_published;
} Match;

typedef struct MatchList
{
	const Subscriber *publisher;
	Match	   *matches;
	size_t		length;
	size_t		capacity;
} MatchList;

static uint64_t round_number;

static void
collect_match(Subscription *subscription, void *argument)
{
	MatchList  *list = argument;
	Subscriber *subscriber = subscription->subscriber;
	Match	   *match;

	if (subscription->no_local && subscriber == list->publisher)
		return;
	if (subscriber->match_round != round_number)
	{
		if (list->length == list->capacity)
		{
			list->capacity = list->capacity > 0 ? list->capacity * 2 : 16;
			list->matches = memory_resize(list->matches, list->capacity * sizeof(Match));
		}
		subscriber->match_round = round_number;
		subscriber->match_index = list->length;
		memset(&list->matches[list->length], 0, sizeof(Match));
		list->matches[list->length++].subscriber = subscriber;
	}
	match = &list->matches[subscriber->match_index];
	if (subscription->qos > match->qos)
		match->qos = subscription->qos;
	match->retain_as_published |= subscription->retain_as_published;
}

void
router_publish(Message *message, const Subscriber *publisher)
{
	MatchList	list = {.publisher = publisher};

	if (message->retain)
		retained_store(message);
	round_number++;
	subscription_match(message->topic, collect_match, &list);
	for (size_t i = 0; i < list.length; i++)
	{
		const Match *match = &list.matches[i];

		delivery_send(&match->subscriber->delivery, message,
					  match->qos < message->qos ? match->qos : message->qos,
					  message->retain && match->retain_as_published);
	}
	free(list.matches);
}

static void
send_retained(Subscription *subscription, const RetainedMessage *retained)
{
	Message    *message = retained->message;

	delivery_send(&subscription->subscriber->delivery, message,
				  subscription->qos < message->qos ? subscription->qos : message->qos, true);
}

void
router_send_retained(Subscription *subscription)
{
	const char *filter = subscription->entry.key;
	const RetainedMessage *retained;
	uint64_t	sequence = 0;

	if (!topic_has_wildcard(filter))
	{
		retained = retained_find(filter);
		if (retained != NULL)
			send_retained(subscription, retained);
		return;
	}
	while ((retained = retained_after(sequence)) != NULL)
	{
		sequence = retained->entry.sequence;
		if (topic_matches(filter, retained->message->topic))
			send_retained(subscription, retained);
	}
}
