/*
 * shared_probe.c
 *		src/shared as a library of its own, with SQL functions that use it the
 *		hard way: many sessions at once, and nothing else that takes time.
 *
 * Built by shared_memory.pl from this file and those of src/shared.
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "settings/settings.h"
#include "shared/areas.h"
#include "shared/cache.h"
#include "shared/cache_claims.h"
#include "shared/rate.h"
#include "shared/statistics.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

PG_FUNCTION_INFO_V1(probe_rate);
PG_FUNCTION_INFO_V1(probe_clients);
PG_FUNCTION_INFO_V1(probe_burst);
PG_FUNCTION_INFO_V1(probe_answers);
PG_FUNCTION_INFO_V1(probe_claims);
PG_FUNCTION_INFO_V1(probe_leave_claim);
PG_FUNCTION_INFO_V1(probe_find_time);
PG_FUNCTION_INFO_V1(probe_hits);
PG_FUNCTION_INFO_V1(probe_note_time);
PG_FUNCTION_INFO_V1(probe_counts);

/* the setting: a small cache, so that answers are evicted often */
int			iotdata_cache_size = 1024;

static const uint8 scope[IOTDATA_CACHE_SCOPE_SIZE] = "whoever it is";

void
_PG_init(void)
{
	iotdata_shared_init(iotdata_shared_areas);
}

static int64
monotonic_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64CONST(1000000) + now.tv_nsec / 1000;
}

/* Microseconds of the processor's time that this process has had. */
static int64
processor_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * INT64CONST(1000000) + time.tv_nsec / 1000;
}

/* as it is when something is asked for and nothing was dropped */
static const IotDataCacheDrops never_dropped;

static IotDataCacheKey
key_of(const char *request)
{
	return iotdata_cache_key(scope, request, strlen(request));
}

/* (rate, clients, seconds): how many reads were granted, of clients in turn */
Datum
probe_rate(PG_FUNCTION_ARGS)
{
	int			rate = PG_GETARG_INT32(0);
	int			clients = PG_GETARG_INT32(1);
	int64		end = monotonic_now() + (int64) (PG_GETARG_FLOAT8(2) * 1e6);
	int			granted = 0;

	for (int64 now, i = MyProcPid; (now = monotonic_now()) < end; i++)
	{
		IotDataRateSubject subject = {
			.target = rate, .client = i % clients, .kind = IOTDATA_RATE_CONNECTION
		};
		int64		wait;

		switch (iotdata_rate_take(&subject, rate, now, &wait))
		{
			case IOTDATA_RATE_GRANTED:
				granted++;
				break;
			case IOTDATA_RATE_TARGET_BUSY:
				pg_usleep(Min(wait, 5000));
				break;
			case IOTDATA_RATE_CLIENT_BUSY:
				pg_usleep(1000);
				break;
		}
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT32(granted);
}

/* (target, clients): how many reads were granted, of each client one that was asked for */
Datum
probe_clients(PG_FUNCTION_ARGS)
{
	int			clients = PG_GETARG_INT32(1);
	int			granted = 0;
	int64		wait;

	for (int i = 0; i < clients; i++)
	{
		IotDataRateSubject subject = {
			.target = PG_GETARG_INT32(0), .client = i, .kind = IOTDATA_RATE_CONNECTION
		};

		granted += iotdata_rate_take(&subject, 1000000, monotonic_now(), &wait) == IOTDATA_RATE_GRANTED;
	}
	PG_RETURN_INT32(granted);
}

/* (target, rate): how many messages it grants at once */
Datum
probe_burst(PG_FUNCTION_ARGS)
{
	IotDataRateSubject subject = {.target = PG_GETARG_INT32(0), .kind = IOTDATA_RATE_SEND};
	int64		now = monotonic_now();
	int			granted = 0;
	int64		wait;

	while (iotdata_rate_take(&subject, PG_GETARG_INT32(1), now, &wait) == IOTDATA_RATE_GRANTED)
		granted++;
	PG_RETURN_INT32(granted);
}

/* An answer of which every byte tells whether it is whole. */
static void
make_answer(IotDataCachedAnswer *answer, char *buffer, int key, uint64 seed)
{
	answer->observed_at = GetCurrentTimestamp();
	answer->not_found = false;
	answer->length = 16 + seed % (IOTDATA_CACHE_MAX_LENGTH - 16);
	answer->bytes = buffer;
	memset(buffer, (int) (key ^ answer->length), answer->length);
}

static bool
is_whole(const IotDataCachedAnswer *answer, int key)
{
	char		byte = (char) (key ^ answer->length);

	for (size_t i = 0; i < answer->length; i++)
		if (answer->bytes[i] != byte)
			return false;
	return answer->length >= 16;
}

/* (keys, seconds): stores and looks at random; answers that were not whole */
Datum
probe_answers(PG_FUNCTION_ARGS)
{
	int			keys = PG_GETARG_INT32(0);
	int64		end = monotonic_now() + (int64) (PG_GETARG_FLOAT8(1) * 1e6);
	uint64		seed = MyProcPid;
	int			broken = 0;
	IotDataCachedAnswer answer;
	char		buffer[IOTDATA_CACHE_MAX_LENGTH];

	while (monotonic_now() < end)
	{
		int			number = (int) ((seed >> 33) % keys);
		char		request[64];
		IotDataCacheKey key;

		seed = seed * UINT64CONST(6364136223846793005) + 1442695040888963407;
		snprintf(request, sizeof(request), "/connections/%d", number);
		key = key_of(request);
		if ((seed >> 40) % 4 == 0)
		{
			make_answer(&answer, buffer, number, seed >> 20);
			iotdata_cache_store(&key, &answer, &never_dropped);
		}
		else if (iotdata_cache_find(&key, PG_INT64_MAX, &answer, buffer) && !is_whole(&answer, number))
			broken++;
		if ((seed >> 20) % 50000 == 0)
			iotdata_cache_clear();
	}
	PG_RETURN_INT32(broken);
}

/* Wait for the latch as the call set does, or "milliseconds". */
static void
wait_for_latch(long milliseconds)
{
	WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
			  milliseconds, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* The age of what was observed at "oldest". */
static int64
max_age(TimestampTz oldest)
{
	return Max(GetCurrentTimestamp() - oldest, 0);
}

/* Have the answer to one request, whoever asks. Returns whether it was us. */
static bool
have_answer(const IotDataCacheKey *key, TimestampTz oldest)
{
	IotDataCachedAnswer answer;
	char		buffer[IOTDATA_CACHE_MAX_LENGTH];
	IotDataCacheClaim claim;
	int64		wait;
	bool		asked = false;

	for (;;)
	{
		iotdata_cache_prepare_to_wait();
		if (iotdata_cache_find(key, max_age(oldest), &answer, buffer))
			break;
		if (iotdata_cache_claim(key, 1, monotonic_now(), &claim, &wait))
		{
			/* the one before may have stored it in between */
			asked = !iotdata_cache_find(key, max_age(oldest), &answer, buffer);
			if (asked)
			{
				pg_usleep(2000);
				CHECK_FOR_INTERRUPTS();
				make_answer(&answer, buffer, 1, 100);
				iotdata_cache_store(key, &answer, &never_dropped);
			}
			iotdata_cache_release(claim);
			break;
		}
		wait_for_latch(wait / 1000 + 1);
	}
	iotdata_cache_stop_waiting();
	return asked;
}

/* (keys, name): how many of them this session had to ask for itself */
Datum
probe_claims(PG_FUNCTION_ARGS)
{
	int			keys = PG_GETARG_INT32(0);
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	TimestampTz oldest = GetCurrentTimestamp() - USECS_PER_MINUTE;
	int			asked = 0;

	for (int i = 0; i < keys; i++)
	{
		IotDataCacheKey key = key_of(psprintf("/%s/%d", name, i));

		asked += have_answer(&key, oldest);
	}
	PG_RETURN_INT32(asked);
}

/* (name): claims the first key of probe_claims, and leaves it at that */
Datum
probe_leave_claim(PG_FUNCTION_ARGS)
{
	IotDataCacheKey key = key_of(psprintf("/%s/0", text_to_cstring(PG_GETARG_TEXT_PP(0))));
	IotDataCacheClaim claim;
	int64		wait;

	PG_RETURN_BOOL(iotdata_cache_claim(&key, 1, monotonic_now(), &claim, &wait));
}

/* (number): processor time (us) that so many looks took; all must find something */
Datum
probe_find_time(PG_FUNCTION_ARGS)
{
	int			number = PG_GETARG_INT32(0);
	IotDataCachedAnswer answer;
	char		buffer[IOTDATA_CACHE_MAX_LENGTH];
	int64		begin;

	for (int i = 0; i < 1000; i++)
	{
		IotDataCacheKey key = key_of(psprintf("/time/%d", i));

		make_answer(&answer, buffer, i, 300);
		iotdata_cache_store(&key, &answer, &never_dropped);
	}
	begin = processor_time();
	for (int i = 0; i < number; i++)
	{
		char		request[32];
		IotDataCacheKey key;

		snprintf(request, sizeof(request), "/time/%d", i % 1000);
		key = key_of(request);
		if (!iotdata_cache_find(&key, PG_INT64_MAX, &answer, buffer))
			PG_RETURN_NULL();
	}
	PG_RETURN_INT64(processor_time() - begin);
}

/* How many answers all sessions have found. */
Datum
probe_hits(PG_FUNCTION_ARGS)
{
	IotDataCacheStatistics statistics;

	iotdata_cache_get_statistics(&statistics);
	PG_RETURN_INT64((int64) statistics.hits);
}

/* (number, pairs): processor time (us) that it took to count so many calls */
Datum
probe_note_time(PG_FUNCTION_ARGS)
{
	int			number = PG_GETARG_INT32(0);
	int			pairs = PG_GETARG_INT32(1);
	IotDataCallRecord record = {
		.outcome = IOTDATA_OUTCOME_ANSWERED, .attempts = 1, .bytes_sent = 100,
		.bytes_received = 200, .microseconds = 3000
	};
	char	  **targets = palloc(pairs * sizeof(char *));
	int64		begin;

	for (int i = 0; i < pairs; i++)
		targets[i] = psprintf("target-%d.iot.eu-west-1.amazonaws.com", i);
	begin = processor_time();
	for (int i = 0; i < number; i++)
		iotdata_statistics_note_call(targets[i % pairs], "029608264753", "GetConnection", &record);
	PG_RETURN_INT64(processor_time() - begin);
}

/* What is counted, as text: pairs, calls, calls in the histogram's bucket for 3 ms. */
Datum
probe_counts(PG_FUNCTION_ARGS)
{
	const char *target;
	const char *account;
	const char *operation;
	const char *last = "";
	IotDataCallSums sums;
	uint64		calls = 0;
	uint64		in_bucket = 0;
	int			pairs = 0;

	while (iotdata_statistics_get(pairs, &target, &account, &operation, &sums))
	{
		pairs++;
		calls += sums.calls;
		in_bucket += sums.latencies[2];
		last = target;
	}
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d|" UINT64_FORMAT "|" UINT64_FORMAT "|%s",
											  pairs, calls, in_bucket, last)));
}
