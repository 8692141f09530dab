/*
 * cache_claims.c
 *		Who is asking for what, so that several sessions that want the same ask
 *		once.
 *
 * A session that finds no answer claims the key before it asks, so
 * that others who want the same wait for its answer. The claims are a small
 * set-associative table: a key that finds its set full is asked for without
 * one, and then perhaps by two sessions at once. A claim ends by its release,
 * or when it is older than CLAIM_LASTS, or as soon as somebody sees that its
 * holder is at rest: a cursor that nobody fetches from leaves its calls as they
 * are. Whoever takes it over gives it a new number, so that the former
 * owner's release, if it still comes, is nobody's. The area's lock protects the
 * claims.
 *
 * Rest. A holder of this session that is not who asks has to rest until that one
 * is done. Another session rests when it waits for its client, for a lock or for
 * a time; that is read from its PGPROC without a lock, so it may be of a moment
 * ago, and costs a call too many at worst. One that is busy with other queries
 * cannot be told from one that works on its calls: that is what CLAIM_LASTS is
 * for. Whoever awaits a claim looks at its holder every LOOK_AGAIN.
 *
 * Waking. Who is refused a claim marks it, and its release wakes all who wait
 * for any, if it is marked: one condition variable serves for all claims, and
 * who is woken for another's looks again and goes on waiting. Nothing is lost
 * between looking and waiting, since a session is on the variable's list
 * before it looks.
 *
 * In memory of the backend's own nobody else can ask, so there are no claims.
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "shared/cache_claims.h"
#include "shared/shared.h"
#include "storage/condition_variable.h"
#include "storage/proc.h"

#define CLAIM_WAYS 4
#define NCLAIMS 1024

/* microseconds */
#define CLAIM_LASTS INT64CONST(3000000)
#define LOOK_AGAIN INT64CONST(50000)

/* of wait_event_info */
#define WAIT_CLASS 0xFF000000U

typedef struct Claim
{
	IotDataCacheClaim number;	/* 0: nobody's */
	uint64		hash;			/* of the key */
	int64		since;
	int			process;		/* its session's number among the processes, */
	int			pid;
	uint32		holder;			/* and who in it: see cache.h */
	bool		awaited;
} Claim;

typedef struct Claims
{
	ConditionVariable released;
	uint64		nclaimed;		/* so far: makes the numbers */
	Claim		claims[NCLAIMS];
} Claims;

Size
iotdata_cache_claims_area_size(void)
{
	return sizeof(Claims);
}

void
iotdata_cache_claims_area_init(void *memory, Size size)
{
	Claims	   *claims = memory;

	memset(claims, 0, sizeof(*claims));
	ConditionVariableInit(&claims->released);
}

static Claims *
get_claims(void)
{
	return iotdata_shared_area(IOTDATA_SHARED_CACHE_CLAIMS);
}

/* How long a claim is still good for; not more than 0: it counts as gone. */
static int64
claim_left(const Claim *claim, int64 now)
{
	int64		age = now - claim->since;

	/* of a clock that was read before we came to it, or of another one */
	if (age < 0)
		age = age < -CLAIM_LASTS ? CLAIM_LASTS : 0;
	return claim->number == 0 ? 0 : CLAIM_LASTS - age;
}

/* The key's claim, or the place for one; NULL when there is none. */
static Claim *
find_claim(Claims *claims, uint64 hash, int64 now)
{
	Claim	   *set = &claims->claims[hash % (NCLAIMS / CLAIM_WAYS) * CLAIM_WAYS];
	Claim	   *place = NULL;

	for (int i = 0; i < CLAIM_WAYS; i++)
	{
		if (set[i].number != 0 && set[i].hash == hash)
			return &set[i];
		if (place == NULL && claim_left(&set[i], now) <= 0)
			place = &set[i];
	}
	return place;
}

/* Is its holder not about to get an answer, as far as "asker" can see? */
static bool
is_at_rest(const Claim *claim, uint32 asker)
{
	const volatile PGPROC *process = GetPGProcByNumber(claim->process);

	if (claim->pid == MyProcPid)
		return claim->holder != asker;
	if (process->pid != claim->pid)
		return true;			/* it is gone */
	switch (process->wait_event_info & WAIT_CLASS)
	{
		case PG_WAIT_CLIENT:
		case PG_WAIT_LOCK:
		case PG_WAIT_TIMEOUT:
			return true;
		default:
			return false;
	}
}

/*
 * Take a claim. Who awaits the one before, of whatever key, goes on doing so:
 * they look again when this one is released.
 */
static IotDataCacheClaim
take_claim(Claims *claims, Claim *claim, uint64 hash, uint32 holder, int64 now)
{
	uint64		place = claim - claims->claims;

	claim->number = ++claims->nclaimed * NCLAIMS + place;
	claim->hash = hash;
	claim->since = now;
	claim->process = iotdata_my_process_number();
	claim->pid = MyProcPid;
	claim->holder = holder;
	return claim->number;
}

bool
iotdata_cache_claim(const IotDataCacheKey *key, uint32 holder, int64 now,
					IotDataCacheClaim *number, int64 *wait)
{
	Claims	   *claims;
	Claim	   *claim;
	bool		taken = true;

	*number = 0;
	if (!iotdata_shared_is_preloaded())
		return true;
	claims = get_claims();
	iotdata_shared_lock(IOTDATA_SHARED_CACHE_CLAIMS, LW_EXCLUSIVE);
	claim = find_claim(claims, key->hash, now);
	if (claim != NULL && claim_left(claim, now) > 0 && !is_at_rest(claim, holder))
	{
		claim->awaited = true;
		*wait = Min(claim_left(claim, now), LOOK_AGAIN);
		taken = false;
	}
	else if (claim != NULL)
		*number = take_claim(claims, claim, key->hash, holder, now);
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE_CLAIMS);
	return taken;
}

void
iotdata_cache_release(IotDataCacheClaim number)
{
	Claims	   *claims;
	Claim	   *claim;
	bool		awaited = false;

	if (number == 0)
		return;
	claims = get_claims();
	claim = &claims->claims[number % NCLAIMS];
	iotdata_shared_lock(IOTDATA_SHARED_CACHE_CLAIMS, LW_EXCLUSIVE);
	if (claim->number == number)
	{
		awaited = claim->awaited;
		claim->number = 0;
		claim->awaited = false;
	}
	iotdata_shared_unlock(IOTDATA_SHARED_CACHE_CLAIMS);
	if (awaited)
		ConditionVariableBroadcast(&claims->released);
}

void
iotdata_cache_prepare_to_wait(void)
{
	if (iotdata_shared_is_preloaded())
		ConditionVariablePrepareToSleep(&get_claims()->released);
}

void
iotdata_cache_stop_waiting(void)
{
	if (iotdata_shared_is_preloaded())
		ConditionVariableCancelSleep();
}
