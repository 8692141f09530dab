/*
 * credentials.c
 *		What requests are signed with: found, kept and renewed.
 *
 * Each backend keeps the credentials of the sources that it has used, the last
 * used first. Those of different sources are never mistaken for each other:
 * all that a source says is compared. What one session has found for a source of
 * the database server's own, the others get (shared.c).
 */
#include "postgres.h"

#include "aws/renewal.h"
#include "credentials/chain.h"
#include "credentials/credentials.h"
#include "credentials/secret.h"
#include "credentials/shared.h"
#include "lib/ilist.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* sources that a backend keeps the credentials of */
#define MAX_KEPT 1024

/* microseconds */
#define LOOK_AGAIN (60 * USECS_PER_SEC)
#define TRY_AGAIN (10 * USECS_PER_SEC)
#define FAILURE_LASTS USECS_PER_SEC

/* roles that are assumed aside at a time: each takes a connection */
#define MAX_ASIDE 16

/* A source's credentials, or why there are none. */
typedef struct Kept
{
	MemoryContext context;		/* all of it */
	dlist_node	node;
	IotDataCredentialsSource source;

	MemoryContext holder;		/* of these; NULL: there are none */
	const IotDataCredentials *credentials;
	TimestampTz got_at;
	TimestampTz try_at;			/* not to be renewed before, if that has
								 * failed */
	bool		refused;		/* by the service: expired */

	MemoryContext failing;		/* of this; NULL: the last search has not
								 * failed */
	IotDataCredentialsResult result;
	IotDataFailure failure;
	TimestampTz failed_until;

	MemoryContext searching;	/* of this; NULL: no role is being assumed */
	IotDataStsExchange *exchange;
} Kept;

static dlist_head all_kept = DLIST_STATIC_INIT(all_kept);
static int	nkept;

static bool is_aside;
static int	naside;				/* roles that are being assumed */

/* ---- sources ---- */

static const size_t strings[] = {
	offsetof(IotDataCredentialsSource, access_key_id),
	offsetof(IotDataCredentialsSource, secret_access_key),
	offsetof(IotDataCredentialsSource, session_token),
	offsetof(IotDataCredentialsSource, profile),
	offsetof(IotDataCredentialsSource, role_arn),
	offsetof(IotDataCredentialsSource, external_id),
	offsetof(IotDataCredentialsSource, role_session_name),
	offsetof(IotDataCredentialsSource, ca_file)
};

static const char **
string_of(const IotDataCredentialsSource *source, size_t i)
{
	return (const char **) ((char *) unconstify(IotDataCredentialsSource *, source) + strings[i]);
}

static bool
is_same(const IotDataCredentialsSource *a, const IotDataCredentialsSource *b)
{
	if (a->use_default != b->use_default || a->use_fips_endpoint != b->use_fips_endpoint ||
		a->use_dualstack_endpoint != b->use_dualstack_endpoint ||
		strcmp(a->region, b->region) != 0)
		return false;
	for (size_t i = 0; i < lengthof(strings); i++)
	{
		const char *one = *string_of(a, i);
		const char *other = *string_of(b, i);

		if (one != other && (one == NULL || other == NULL || strcmp(one, other) != 0))
			return false;
	}
	return true;
}

/* ---- what is kept ---- */

static Kept *
create_kept(const IotDataCredentialsSource *source)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "iotdata credentials",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Kept	   *kept = palloc0(sizeof(*kept));

	kept->context = context;
	kept->source = *source;
	for (size_t i = 0; i < lengthof(strings); i++)
	{
		const char *string = *string_of(source, i);

		if (string != NULL)
			*string_of(&kept->source, i) = iotdata_secret_copy(string, strlen(string));
	}
	MemoryContextSwitchTo(caller);
	dlist_push_head(&all_kept, &kept->node);
	nkept++;
	return kept;
}

static void
forget_oldest(void)
{
	Kept	   *oldest = dlist_tail_element(Kept, node, &all_kept);

	dlist_delete(&oldest->node);
	nkept--;
	MemoryContextDelete(oldest->context);
}

static Kept *
find_kept(const IotDataCredentialsSource *source)
{
	dlist_iter	iter;

	dlist_foreach(iter, &all_kept)
	{
		Kept	   *kept = dlist_container(Kept, node, iter.cur);

		if (!is_same(&kept->source, source))
			continue;
		dlist_move_head(&all_kept, &kept->node);
		return kept;
	}
	return NULL;
}

/* ---- renewal ---- */

/* What does not expire, and was not in the environment, may have changed. */
static IotDataRenewal
decide(const Kept *kept, TimestampTz now)
{
	const IotDataCredentialsValues *values;
	IotDataRenewal renewal;

	if (kept->credentials == NULL || kept->refused)
		return IOTDATA_RENEWAL_NEEDED;
	values = &kept->credentials->values;
	if (!TIMESTAMP_IS_NOEND(values->expire_at))
		renewal = iotdata_renewal(kept->got_at / USECS_PER_SEC, values->expire_at / USECS_PER_SEC,
								  now / USECS_PER_SEC);
	else
		renewal = !values->is_permanent && now - kept->got_at >= LOOK_AGAIN ?
			IOTDATA_RENEWAL_NEEDED : IOTDATA_RENEWAL_NONE;
	return renewal == IOTDATA_RENEWAL_ADVISABLE && now < kept->try_at ? IOTDATA_RENEWAL_NONE : renewal;
}

static const char *
copy_text(const char *text)
{
	return text != NULL ? pstrdup(text) : NULL;
}

/* A failure's copy, in the current memory context. */
static IotDataFailure
copy_failure(const IotDataFailure *failure)
{
	return (IotDataFailure)
	{
		failure->sqlstate, copy_text(failure->message), copy_text(failure->detail),
			copy_text(failure->hint)
	};
}

static void
keep_credentials(Kept *kept, const IotDataCredentialsValues *values, TimestampTz now)
{
	MemoryContext holder = AllocSetContextCreate(kept->context, "iotdata credentials holder",
												 ALLOCSET_SMALL_SIZES);

	kept->credentials = iotdata_credentials_create(values, holder);
	if (kept->holder != NULL)
		MemoryContextDelete(kept->holder);
	kept->holder = holder;
	kept->got_at = now;
	kept->refused = false;
	kept->failed_until = 0;
	if (kept->failing != NULL)
		MemoryContextDelete(kept->failing);
	kept->failing = NULL;
}

static void
keep_failure(Kept *kept, IotDataCredentialsResult result, const IotDataFailure *failure,
			 TimestampTz now)
{
	MemoryContext caller;

	if (kept->failing == NULL)
		kept->failing = AllocSetContextCreate(kept->context, "iotdata credentials failure",
											  ALLOCSET_SMALL_SIZES);
	MemoryContextReset(kept->failing);
	caller = MemoryContextSwitchTo(kept->failing);
	kept->failure = copy_failure(failure);
	MemoryContextSwitchTo(caller);
	kept->result = result;
	kept->failed_until = now + FAILURE_LASTS;
	kept->try_at = now + TRY_AGAIN;
}

/*
 * Take what another session has found since this one's were got, if it need not
 * be renewed itself.
 */
static bool
take_from_others(Kept *kept, TimestampTz now)
{
	IotDataCredentialsValues values;
	TimestampTz got_at;

	if (!iotdata_credentials_take_shared(&kept->source, kept->credentials != NULL ? kept->got_at : 0,
										 &values, &got_at) ||
		iotdata_renewal(got_at / USECS_PER_SEC, values.expire_at / USECS_PER_SEC,
						now / USECS_PER_SEC) != IOTDATA_RENEWAL_NONE)
		return false;
	keep_credentials(kept, &values, got_at);
	return true;
}

static void
keep_result(Kept *kept, IotDataCredentialsResult result,
			const IotDataCredentialsValues *values, const IotDataFailure *failure)
{
	TimestampTz now = GetCurrentTimestamp();

	if (result == IOTDATA_CREDENTIALS_FOUND)
	{
		keep_credentials(kept, values, now);
		iotdata_credentials_share(&kept->source, values, now);
	}
	else
		keep_failure(kept, result, failure, now);
}

static void
find(Kept *kept)
{
	IotDataCredentialsValues values;
	IotDataFailure failure;
	IotDataCredentialsResult result = iotdata_credentials_find(&kept->source, &values, &failure);

	keep_result(kept, result, &values, &failure);
}

/* ---- aside ---- */

void
iotdata_credentials_assume_aside(void)
{
	is_aside = true;
}

/* The reset callback of an exchange's context. */
static void
count_down(void *unused)
{
	naside--;
}

static void
begin_aside(Kept *kept)
{
	MemoryContext searching = AllocSetContextCreate(kept->context, "iotdata credentials exchange",
													ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(searching);
	MemoryContextCallback *callback = palloc0(sizeof(*callback));
	IotDataCredentialsResult result;
	IotDataFailure failure;

	callback->func = count_down;
	MemoryContextRegisterResetCallback(searching, callback);
	naside++;
	kept->exchange = iotdata_credentials_begin(&kept->source, &result, &failure);
	MemoryContextSwitchTo(caller);
	if (kept->exchange != NULL)
	{
		kept->searching = searching;
		return;
	}
	keep_failure(kept, result, &failure, GetCurrentTimestamp());
	MemoryContextDelete(searching);
}

/* Take what STS has answered, if it has. */
static void
end_aside(Kept *kept)
{
	MemoryContext searching = kept->searching;
	MemoryContext caller;
	IotDataCredentialsValues values;
	IotDataFailure failure;
	IotDataCredentialsResult result;

	if (searching == NULL || iotdata_sts_is_running(kept->exchange))
		return;
	kept->searching = NULL;
	caller = MemoryContextSwitchTo(searching);
	result = iotdata_credentials_end(kept->exchange, &values, &failure);
	keep_result(kept, result, &values, &failure);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(searching);
}

/* Nobody has to ask for what has ended, for others to begin. */
static void
end_all_aside(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &all_kept)
	{
		end_aside(dlist_container(Kept, node, iter.cur));
	}
}

/* What was wrong the last time is more to the point. */
static IotDataCredentialsResult
tell_pending(const Kept *kept, IotDataFailure *failure)
{
	if (kept->failing != NULL)
	{
		*failure = copy_failure(&kept->failure);
		return kept->result;
	}
	*failure = (IotDataFailure)
	{
		.sqlstate = IOTDATA_CREDENTIALS_PENDING,
			.message = "the AWS role is being assumed"
	};
	return IOTDATA_CREDENTIALS_FAILED;
}

/* ---- now or later ---- */

/* When too many are under way, it begins when it is asked for again. */
static void
search(Kept *kept)
{
	if (!is_aside || kept->source.role_arn == NULL)
		find(kept);
	else
	{
		if (naside >= MAX_ASIDE)
			end_all_aside();
		if (naside < MAX_ASIDE)
			begin_aside(kept);
	}
}

/* Is there neither an answer, nor one that still serves? */
static bool
is_pending(const Kept *kept, IotDataRenewal renewal)
{
	return is_aside && kept->source.role_arn != NULL && kept->failed_until == 0 &&
		renewal == IOTDATA_RENEWAL_NEEDED;
}

/*
 * Look for the source's credentials, unless another session does, and there is
 * time. What is read meanwhile is in a context of its own, below the caller's,
 * which clears it when it is over.
 */
static void
renew(Kept *kept, IotDataRenewal renewal, TimestampTz now)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "iotdata credentials search",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);

	if (!take_from_others(kept, now) &&
		(renewal == IOTDATA_RENEWAL_NEEDED ||
		 iotdata_credentials_may_renew(&kept->source, now, now - TRY_AGAIN)))
		search(kept);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}

/* Are the keys in the source itself, so that there is nothing to keep? */
static bool
is_static(const IotDataCredentialsSource *source)
{
	return source->access_key_id != NULL && source->role_arn == NULL;
}

static IotDataCredentialsResult
get_static(const IotDataCredentialsSource *source, MemoryContext holder,
		   const IotDataCredentials **credentials, IotDataFailure *failure)
{
	IotDataCredentialsValues values;
	IotDataCredentialsResult result = iotdata_credentials_find(source, &values, failure);

	if (result == IOTDATA_CREDENTIALS_FOUND)
		*credentials = iotdata_credentials_create(&values, holder);
	return result;
}

/* Give the credentials that are kept to "holder", or tell the failure. */
static IotDataCredentialsResult
give(const Kept *kept, MemoryContext holder, const IotDataCredentials **credentials,
	 IotDataFailure *failure)
{
	if (kept->failed_until > 0)
	{
		*failure = copy_failure(&kept->failure);
		return kept->result;
	}
	iotdata_credentials_hold(kept->credentials, holder);
	*credentials = kept->credentials;
	return IOTDATA_CREDENTIALS_FOUND;
}

IotDataCredentialsResult
iotdata_credentials_get(const IotDataCredentialsSource *source, MemoryContext holder,
						const IotDataCredentials **credentials, IotDataFailure *failure)
{
	TimestampTz now = GetCurrentTimestamp();
	Kept	   *kept;
	IotDataRenewal renewal;

	if (is_static(source))
		return get_static(source, holder, credentials, failure);
	kept = find_kept(source);
	if (kept == NULL)
	{
		while (nkept >= MAX_KEPT)
			forget_oldest();
		kept = create_kept(source);
	}
	end_aside(kept);
	renewal = decide(kept, now);
	if (renewal != IOTDATA_RENEWAL_NONE && kept->searching == NULL && kept->failed_until <= now)
	{
		kept->failed_until = 0;
		renew(kept, renewal, now);
		end_aside(kept);
		renewal = decide(kept, now);
	}
	if (renewal != IOTDATA_RENEWAL_NEEDED)
		kept->failed_until = 0;
	if (is_pending(kept, renewal))
		return tell_pending(kept, failure);
	return give(kept, holder, credentials, failure);
}

bool
iotdata_credentials_expired(const IotDataCredentialsSource *source,
							const IotDataCredentials *credentials)
{
	Kept	   *kept = find_kept(source);

	if (kept == NULL || credentials->values.is_permanent)
		return false;
	if (kept->credentials == credentials)
		kept->refused = true;
	return true;
}
