/*
 * quota.c
 *	  The service's quotas: how many requests a second are taken, of one kind
 *	  and for one client ID.
 *
 * Each is a token bucket that holds a second's worth.  So a bucket that nobody
 * took from for a second is full, and that of a client can be dropped: the
 * clients' buckets stand in a queue, and each request looks at the two in
 * front.  Full ones are dropped, the others go to the end.  As only a request
 * adds one, the queue follows the number of clients asked for in the last
 * seconds.
 */
#include "api/quota.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define TOKEN 1000				/* a level of one request */
#define FILL_TIME 1000			/* milliseconds until an empty bucket is full */

typedef struct QuotaClient
{
	TableEntry	entry;			/* its key is client_id */
	QuotaBucket bucket;
	struct QuotaClient *next;
	char		client_id[];
} QuotaClient;

/* ------ buckets ------ */

static QuotaBucket
full_bucket(int64_t rate, int64_t now)
{
	return (QuotaBucket)
	{
		rate	   *TOKEN,
					now
	};
}

/* A rate is the same number in thousandths a millisecond. */
static void
fill(QuotaBucket *bucket, int64_t rate, int64_t now)
{
	int64_t		elapsed = now - bucket->time;

	if (elapsed >= FILL_TIME || bucket->level + elapsed * rate > rate * TOKEN)
		bucket->level = rate * TOKEN;
	else
		bucket->level += elapsed * rate;
	bucket->time = now;
}

/* Without a limit there is always one. */
static bool
has_token(QuotaBucket *bucket, int64_t rate, int64_t now)
{
	if (rate == 0)
		return true;
	fill(bucket, rate, now);
	return bucket->level >= TOKEN;
}

static void
take_token(QuotaBucket *bucket, int64_t rate)
{
	if (rate > 0)
		bucket->level -= TOKEN;
}

/* ------ clients ------ */

static void
append_client(Quota *quota, QuotaClient *client)
{
	client->next = NULL;
	if (quota->last != NULL)
		quota->last->next = client;
	else
		quota->first = client;
	quota->last = client;
}

static QuotaClient *
pop_client(Quota *quota)
{
	QuotaClient *client = quota->first;

	quota->first = client->next;
	if (quota->first == NULL)
		quota->last = NULL;
	return client;
}

static void
drop_client(Quota *quota, QuotaClient *client)
{
	table_remove(&quota->clients, &client->entry);
	free(client);
}

static void
drop_full_buckets(Quota *quota, int64_t now)
{
	for (int i = 0; i < 2 && quota->first != NULL; i++)
	{
		QuotaClient *client = pop_client(quota);

		if (now - client->bucket.time >= FILL_TIME)
			drop_client(quota, client);
		else
			append_client(quota, client);
	}
}

static QuotaClient *
find_or_add_client(Quota *quota, const char *client_id, int64_t now)
{
	QuotaClient *client = (QuotaClient *) table_find(&quota->clients, client_id);
	size_t		size = strlen(client_id) + 1;

	if (client != NULL)
		return client;
	if (quota->clients.count == QUOTA_MAX_CLIENTS)
		drop_client(quota, pop_client(quota));
	client = memory_alloc(sizeof(QuotaClient) + size);
	memcpy(client->client_id, client_id, size);
	client->entry.key = client->client_id;
	client->bucket = full_bucket(quota->rates.client_read, now);
	table_add(&quota->clients, &client->entry);
	append_client(quota, client);
	return client;
}

/* ------ requests ------ */

static bool
take_read(Quota *quota, const char *client_id, int64_t now)
{
	const QuotaRates *rates = &quota->rates;
	QuotaClient *client;

	if (!has_token(&quota->read, rates->read, now))
		return false;
	if (rates->client_read > 0 && strlen(client_id) <= QUOTA_MAX_CLIENT_ID)
	{
		drop_full_buckets(quota, now);
		client = find_or_add_client(quota, client_id, now);
		if (!has_token(&client->bucket, rates->client_read, now))
			return false;
		take_token(&client->bucket, rates->client_read);
	}
	take_token(&quota->read, rates->read);
	return true;
}

static bool
take_send(Quota *quota, int64_t now)
{
	if (!has_token(&quota->send, quota->rates.send, now))
		return false;
	take_token(&quota->send, quota->rates.send);
	return true;
}

bool
quota_take(Quota *quota, QuotaKind kind, const char *client_id, int64_t now)
{
	switch (kind)
	{
		case QUOTA_READ:
			return take_read(quota, client_id, now);
		case QUOTA_SEND:
			return take_send(quota, now);
		case QUOTA_NONE:
			break;
	}
	return true;
}

void
quota_init(Quota *quota, const QuotaRates *rates, int64_t now)
{
	*quota = (Quota) {.rates = *rates};
	quota->read = full_bucket(rates->read, now);
	quota->send = full_bucket(rates->send, now);
}

void
quota_free(Quota *quota)
{
	while (quota->first != NULL)
		drop_client(quota, pop_client(quota));
	table_free(&quota->clients);
}
