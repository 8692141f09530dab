/*
 * rate.c
 *		Requests a second: a bucket for each target and kind, and when each
 *		client was last asked about.
 *
 * Both tables are bounded. When there are more targets than buckets, the one
 * that was not used for the longest time gives its own up. Whoever gets a
 * bucket that way begins with an empty one: it may have been evicted itself a
 * moment ago, and would otherwise get a full one each time. A client's entry is needed for a second only after its last
 * answer, so what is over is simply overwritten; in a set that is full of
 * others the one that is over first goes.
 *
 * The area's lock protects all of it. What is done under it takes well under a
 * microsecond.
 */
#include "postgres.h"

#include "aws/token_bucket.h"
#include "common/hashfn.h"
#include "shared/rate.h"
#include "shared/shared.h"

#define NBUCKETS 64

/* a set of entries is two cache lines */
#define CLIENT_SETS_LOG2 10
#define CLIENT_SETS (1 << CLIENT_SETS_LOG2)
#define CLIENT_WAYS 8

/* how long a client is left alone: the service's one request a second */
#define CLIENT_SPACING INT64CONST(1000000)

/*
 * The longest that a client can be busy for, as another process sees it whose
 * clock was read a little earlier; beyond, it is nonsense.
 */
#define CLIENT_LONGEST (2 * CLIENT_SPACING)

typedef struct TargetBucket
{
	bool		used;
	IotDataRateKind kind;
	uint64		target;
	int64		last_used;
	IotDataTokenBucket bucket;
} TargetBucket;

typedef struct Client
{
	uint64		hash;			/* of target and client */
	int64		busy_until;
} Client;

typedef struct Rate
{
	TargetBucket buckets[NBUCKETS];
	Client		clients[CLIENT_SETS][CLIENT_WAYS];
} Rate;

Size
iotdata_rate_area_size(void)
{
	return sizeof(Rate);
}

void
iotdata_rate_area_init(void *memory, Size size)
{
	memset(memory, 0, size);
}

/* The bucket, or else NULL; "oldest" gets the place for a new one. */
static TargetBucket *
look_for_bucket(Rate *all, uint64 target, IotDataRateKind kind, TargetBucket **oldest)
{
	*oldest = &all->buckets[0];
	for (int i = 0; i < NBUCKETS; i++)
	{
		TargetBucket *candidate = &all->buckets[i];

		if (!candidate->used)
		{
			*oldest = candidate;
			return NULL;
		}
		if (candidate->target == target && candidate->kind == kind)
			return candidate;
		if (candidate->last_used < (*oldest)->last_used)
			*oldest = candidate;
	}
	return NULL;
}

static IotDataTokenBucket *
find_bucket(Rate *all, const IotDataRateSubject *subject, int rate, int64 now)
{
	TargetBucket *oldest;
	TargetBucket *found = look_for_bucket(all, subject->target, subject->kind, &oldest);
	bool		is_new;

	if (found != NULL)
	{
		found->last_used = now;
		return &found->bucket;
	}
	is_new = !oldest->used;
	oldest->used = true;
	oldest->kind = subject->kind;
	oldest->target = subject->target;
	oldest->last_used = now;
	iotdata_token_bucket_init(&oldest->bucket, rate, is_new, now);
	return &oldest->bucket;
}

/* Microseconds until the client may be asked about; not more than 0: now. */
static int64
busy_for(const Client *client, int64 now)
{
	int64		left = client->busy_until - now;

	return left <= CLIENT_LONGEST ? left : 0;
}

/* Its upper bits name the set, so every bit of the subject's must reach them. */
static uint64
client_hash(const IotDataRateSubject *subject)
{
	return hash_combine64(subject->target, subject->client) *
		UINT64CONST(0x9e3779b97f4a7c15);
}

/* The client's entry, or the one that it may have in another's place. */
static Client *
find_client(Rate *all, uint64 hash, int64 now)
{
	Client	   *set = all->clients[hash >> (64 - CLIENT_SETS_LOG2)];
	Client	   *first_over = &set[0];

	for (int i = 0; i < CLIENT_WAYS; i++)
	{
		if (set[i].hash == hash)
			return &set[i];
		if (busy_for(&set[i], now) < busy_for(first_over, now))
			first_over = &set[i];
	}
	return first_over;
}

static int64
client_busy_for(Rate *all, const IotDataRateSubject *subject, int64 now)
{
	uint64		hash = client_hash(subject);
	const Client *client = find_client(all, hash, now);

	return client->hash == hash ? busy_for(client, now) : 0;
}

static void
keep_client_busy(Rate *all, const IotDataRateSubject *subject, int64 now)
{
	uint64		hash = client_hash(subject);
	Client	   *client = find_client(all, hash, now);

	client->hash = hash;
	client->busy_until = now + CLIENT_SPACING;
}

/* The quota of one request a second for each client is this kind's alone. */
static bool
has_spacing(const IotDataRateSubject *subject)
{
	return subject->kind == IOTDATA_RATE_CONNECTION;
}

IotDataRateVerdict
iotdata_rate_take(const IotDataRateSubject *subject, int rate, int64 now,
				  int64 *wait)
{
	Rate	   *all = iotdata_shared_area(IOTDATA_SHARED_RATE);
	bool		spaced = has_spacing(subject);
	IotDataRateVerdict verdict = IOTDATA_RATE_GRANTED;

	Assert(rate > 0);
	iotdata_shared_lock(IOTDATA_SHARED_RATE, LW_EXCLUSIVE);
	*wait = spaced ? client_busy_for(all, subject, now) : 0;
	if (*wait > 0)
		verdict = IOTDATA_RATE_CLIENT_BUSY;
	else if (!iotdata_token_bucket_take(find_bucket(all, subject, rate, now),
										rate, now, wait))
		verdict = IOTDATA_RATE_TARGET_BUSY;
	else if (spaced)
		keep_client_busy(all, subject, now);
	iotdata_shared_unlock(IOTDATA_SHARED_RATE);
	return verdict;
}

void
iotdata_rate_unused(const IotDataRateSubject *subject, int rate, int64 now)
{
	Rate	   *all = iotdata_shared_area(IOTDATA_SHARED_RATE);

	iotdata_shared_lock(IOTDATA_SHARED_RATE, LW_EXCLUSIVE);
	iotdata_token_bucket_give_back(find_bucket(all, subject, rate, now), rate);
	if (has_spacing(subject))
	{
		uint64		hash = client_hash(subject);
		Client	   *client = find_client(all, hash, now);

		if (client->hash == hash)
			client->busy_until = now;
	}
	iotdata_shared_unlock(IOTDATA_SHARED_RATE);
}

bool
iotdata_rate_ended(const IotDataRateSubject *subject, int rate, bool throttled,
				   int64 now)
{
	Rate	   *all = iotdata_shared_area(IOTDATA_SHARED_RATE);
	bool		can_slow_down = true;

	Assert(rate > 0);
	iotdata_shared_lock(IOTDATA_SHARED_RATE, LW_EXCLUSIVE);
	if (has_spacing(subject))
		keep_client_busy(all, subject, now);
	if (throttled)
		can_slow_down = iotdata_token_bucket_throttled(find_bucket(all, subject, rate, now),
													   rate, now);
	iotdata_shared_unlock(IOTDATA_SHARED_RATE);
	return can_slow_down;
}

double
iotdata_rate_current(uint64 target, IotDataRateKind kind, int rate)
{
	Rate	   *all = iotdata_shared_area(IOTDATA_SHARED_RATE);
	double		pace = 1;
	TargetBucket *oldest;
	const TargetBucket *found;

	iotdata_shared_lock(IOTDATA_SHARED_RATE, LW_SHARED);
	found = look_for_bucket(all, target, kind, &oldest);
	if (found != NULL)
		pace = iotdata_token_bucket_pace(&found->bucket);
	iotdata_shared_unlock(IOTDATA_SHARED_RATE);
	return rate * pace;
}
