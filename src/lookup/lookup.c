/*
 * lookup.c
 *		Many reads of one operation: as many at once as the limits allow, equal
 *		ones made once, and each with its own rows or its own failure.
 *
 * Everything is in one memory context, but for what belongs to a call: each
 * call has a context of its own, which the call set takes over. Once lookups
 * were forgotten (known.c), those who ask look into the response cache for an
 * answer that was observed since these lookups began: it is what a larger memory
 * would have remembered. So answers are stored there from the first one on.
 *
 * Errors about one lookup (its arguments, its answer) are raised by what is
 * called here, and caught: they stay with the lookup until its turn comes.
 * That takes no subtransaction, because nothing in between holds anything but
 * memory of a context that is reset. Any other error passes.
 */
#include "postgres.h"

#include "answer/answer.h"
#include "answer/decode.h"
#include "call/callset.h"
#include "call/preload_notice.h"
#include "common/hashfn.h"
#include "error/raise.h"
#include "lookup/lookup.h"
#include "lookup/rows.h"
#include "lookup/targets.h"
#include "request/request.h"
#include "shared/progress.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

struct IotDataLookups
{
	MemoryContext context;
	const IotDataOperation *operation;
	IotDataArgumentTypes types;
	IotDataLookupRows rows;
	IotDataCallSet *set;
	IotDataLookupTargets targets;
	IotDataKnownLookups known;
	TimestampTz begun;
	MemoryContext spare;		/* for the next call, and for requests until
								 * then */
	MemoryContext scratch;		/* for reading answers */
	IotDataLookupCounts counts;
	IotDataProgress *progress;	/* NULL: not shown */
	MemoryContextCallback callback;
};

/*
 * The context's reset callback: nothing is shown any longer, cache hits are
 * counted all at once, and targets left. (A callback that left one would have
 * run before this.)
 */
static void
leave(void *arg)
{
	IotDataLookups *lookups = arg;

	iotdata_progress_end(lookups->progress);
	iotdata_lookup_targets_leave(&lookups->targets, lookups->operation->name);
}

IotDataLookups *
iotdata_lookups_create(const IotDataOperation *operation, const IotDataArgumentTypes *types,
					   TupleDesc columns, const bool *needed, size_t memory)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata lookups",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	IotDataLookups *lookups = palloc0(sizeof(*lookups));

	if (!iotdata_decode_fits(operation, columns))
		iotdata_raise_version(operation->name);
	lookups->context = context;
	lookups->operation = operation;
	lookups->types = *types;
	iotdata_lookup_rows_init(&lookups->rows, columns, needed);
	lookups->set = iotdata_callset_create();
	iotdata_lookup_targets_init(&lookups->targets, lookups->set);
	iotdata_known_init(&lookups->known, lookups, memory);
	lookups->begun = GetCurrentTimestamp();
	lookups->callback.func = leave;
	lookups->callback.arg = lookups;
	MemoryContextRegisterResetCallback(context, &lookups->callback);
	lookups->progress = iotdata_progress_begin(operation->name, operation->rate_kind);
	iotdata_callset_show(lookups->set, lookups->progress);
	lookups->scratch = AllocSetContextCreate(context, "iotdata lookup answer",
											 ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(caller);
	return lookups;
}

void
iotdata_lookups_delete(IotDataLookups *lookups)
{
	iotdata_callset_delete(lookups->set);
	MemoryContextDelete(lookups->context);
}

bool
iotdata_lookups_are_under_way(const IotDataLookups *lookups)
{
	return iotdata_callset_is_under_way(lookups->set);
}

bool
iotdata_lookups_have_room(const IotDataLookups *lookups)
{
	return iotdata_callset_has_room(lookups->set);
}

IotDataLookupCounts
iotdata_lookups_counts(const IotDataLookups *lookups)
{
	IotDataLookupCounts counts = lookups->counts;

	counts.rate_wait = iotdata_callset_rate_wait(lookups->set);
	return counts;
}

/* Tell who looks on how far it is. */
static void
show_counts(const IotDataLookups *lookups)
{
	IotDataProgressCounts counts = {
		.rows_read = lookups->counts.rows_read,
		.asked = lookups->counts.asked,
		.answered = lookups->counts.answered,
		.cache_hits = lookups->counts.cache_hits,
		.duplicates = lookups->counts.duplicates
	};

	iotdata_progress_set_counts(lookups->progress, &counts);
}

void
iotdata_lookups_note_rows(IotDataLookups *lookups, int64 rows)
{
	lookups->counts.rows_read = rows;
	show_counts(lookups);
}

void
iotdata_lookups_check_target(IotDataLookups *lookups, const char *server)
{
	const IotDataLookupTarget *target = iotdata_lookup_targets_get(&lookups->targets, server);

	if (target->queue == NULL)
		iotdata_raise(&target->failure);
}

/* ---- failures ---- */

/* A failure in one piece of memory with its texts. */
typedef struct SavedFailure
{
	IotDataFailure failure;
	char		texts[FLEXIBLE_ARRAY_MEMBER];
} SavedFailure;

static size_t
text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

static const char *
copy_text(char **next, const char *text)
{
	char	   *copy = *next;

	if (text == NULL)
		return NULL;
	memcpy(copy, text, text_size(text));
	*next += text_size(text);
	return copy;
}

/* The lookup has failed: remember why, and what CONTEXT is to say. */
static void
fail(IotDataLookup *lookup, const IotDataFailure *failure,
	 const IotDataErrorContext *errors)
{
	size_t		size = offsetof(SavedFailure, texts) + text_size(failure->message) +
		text_size(failure->detail) + text_size(failure->hint) +
		text_size(errors->subject) + text_size(errors->value);
	SavedFailure *saved = MemoryContextAlloc(lookup->lookups->context, size);
	char	   *next = saved->texts;

	saved->failure.sqlstate = failure->sqlstate;
	saved->failure.message = copy_text(&next, failure->message);
	saved->failure.detail = copy_text(&next, failure->detail);
	saved->failure.hint = copy_text(&next, failure->hint);
	lookup->failure = &saved->failure;
	lookup->is_own = true;
	lookup->subject = copy_text(&next, errors->subject);
	lookup->value = copy_text(&next, errors->value);
	lookup->argument = errors->argument;
	lookup->memory += size;
}

/* Is an error about the one lookup: its arguments, or its answer? */
static bool
is_own_error(int sqlstate)
{
	return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION ||
		sqlstate == IOTDATA_ERRCODE_PROTOCOL_VIOLATION;
}

/* An error has been caught: it is the lookup's failure, or is passed on. */
static void
catch(IotDataLookup *lookup, MemoryContext caller,
	  const IotDataErrorContext *errors)
{
	ErrorData  *error;
	IotDataFailure failure;

	MemoryContextSwitchTo(caller);
	error = CopyErrorData();
	if (!is_own_error(error->sqlerrcode))
		PG_RE_THROW();
	FlushErrorState();
	failure = (IotDataFailure) {error->sqlerrcode, error->message, error->detail, error->hint};
	fail(lookup, &failure, errors);
	lookup->is_own = errors->argument == NULL || errors->argument == errors->subject_name;
	FreeErrorData(error);
}

static void
push_context(IotDataErrorContext *errors, const IotDataLookups *lookups,
			 const char *subject)
{
	iotdata_error_context_push(errors, lookups->operation->name);
	errors->subject = subject;
	if (subject != NULL)
		errors->subject_name = iotdata_operation_argument(lookups->operation,
														  IOTDATA_ROLE_SUBJECT)->name;
}

void
iotdata_lookup_raise(const IotDataLookup *lookup)
{
	IotDataErrorContext errors;

	if (lookup->failure == NULL ||
		(lookup->is_own && lookup->lookups->operation->returns_result))
		return;
	push_context(&errors, lookup->lookups, lookup->subject);
	errors.argument = lookup->argument;
	errors.value = lookup->value;
	iotdata_raise(lookup->failure);
}

/* ---- answers ---- */

void
iotdata_lookup_row(const IotDataLookup *lookup, int number, Datum *values, bool *nulls)
{
	iotdata_lookup_rows_read(&lookup->lookups->rows, lookup->rows[number], values, nulls);
}

static void
add_row(IotDataLookup *lookup, const IotDataAnswer *answer, const IotDataJsonValue *values)
{
	const IotDataLookups *lookups = lookup->lookups;

	iotdata_known_add_row(lookup,
						  iotdata_lookup_rows_make(&lookups->rows, answer, values, lookups->context),
						  lookups->operation->items != NULL);
}

static void
add_rows(IotDataLookup *lookup, const IotDataAnswer *answer)
{
	IotDataJsonValue values[IOTDATA_MAX_COLUMNS];
	IotDataJsonValue items;

	if (lookup->pages == NULL)
	{
		if (!answer->not_found)
			add_row(lookup, answer, answer->values);
		return;
	}
	items = iotdata_pages_take(lookup->pages, answer);
	for (size_t i = 0; i < items.length; i++)
	{
		iotdata_answer_item(answer, iotdata_json_element(items, i), values);
		add_row(lookup, answer, values);
	}
}

/* Store an answer in the cache: if it helps nobody else, then perhaps these. */
static void
store(const IotDataLookup *lookup, const IotDataAnswer *answer)
{
	IotDataCacheKey key;

	if (!iotdata_answer_is_cacheable(answer, true))
		return;
	key = iotdata_callset_cache_key(lookup->target->queue, answer->request);
	iotdata_answer_store(answer, &key);
}

/* Read an answer into the lookup's rows; what is wrong with it is its failure. */
static void
take_answer(IotDataLookup *lookup, const IotDataAnswer *answer,
			const char *subject)
{
	MemoryContext caller = CurrentMemoryContext;
	IotDataErrorContext errors;

	push_context(&errors, lookup->lookups, subject);
	PG_TRY();
	{
		add_rows(lookup, answer);
		store(lookup, answer);
	}
	PG_CATCH();
	{
		catch(lookup, caller, &errors);
	}
	PG_END_TRY();
	iotdata_error_context_pop(&errors);
}

static void
end_lookup(IotDataLookup *lookup)
{
	lookup->ended = true;
	lookup->lookups->counts.answered += lookup->askers;
	if (lookup->paging != NULL)
		MemoryContextDelete(lookup->paging);
	lookup->paging = NULL;
	lookup->pages = NULL;
	lookup->references++;		/* nobody may refer to it any longer */
	iotdata_lookup_release(lookup);
}

static MemoryContext
take_spare(IotDataLookups *lookups)
{
	MemoryContext spare = lookups->spare;

	if (spare == NULL)
		spare = AllocSetContextCreate(lookups->context, "iotdata call",
									  ALLOCSET_DEFAULT_SIZES);
	lookups->spare = NULL;
	return spare;
}

static void
make_call(IotDataLookup *lookup, MemoryContext context,
		  const IotDataRequest *request)
{
	lookup->lookups->counts.calls++;
	iotdata_callset_add(lookup->target->queue, context, request, lookup);
}

/* Ask for the next page of a list. Returns false when there is none. */
static bool
ask_next_page(IotDataLookup *lookup)
{
	MemoryContext context;
	MemoryContext caller;
	const IotDataRequest *request;

	if (lookup->pages == NULL || lookup->failure != NULL)
		return false;
	context = take_spare(lookup->lookups);
	caller = MemoryContextSwitchTo(context);
	request = iotdata_pages_next(lookup->pages);
	MemoryContextSwitchTo(caller);
	if (request != NULL)
		make_call(lookup, context, request);
	else
		lookup->lookups->spare = context;
	return request != NULL;
}

static void
note_hit(IotDataLookup *lookup)
{
	lookup->is_cached = true;
	lookup->lookups->counts.cache_hits++;
	lookup->target->cache_hits++;
}

static void
take_call(IotDataLookups *lookups, IotDataCall *call)
{
	IotDataLookup *lookup = call->owner;
	MemoryContext caller = MemoryContextSwitchTo(lookups->scratch);
	IotDataErrorContext errors = {.subject = call->request->subject};
	IotDataAnswer answer;
	IotDataFailure failure;

	if (call->cached != NULL)
	{
		note_hit(lookup);
		lookups->counts.calls--;
	}
	lookups->counts.retries += Max(call->attempts - 1, 0);
	if (iotdata_answer_read(&answer, call, &failure))
		take_answer(lookup, &answer, call->request->subject);
	else
		fail(lookup, &failure, &errors);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(lookups->scratch);
	MemoryContextDelete(call->context);
	if (!ask_next_page(lookup))
		end_lookup(lookup);
}

void
iotdata_lookups_wait(IotDataLookups *lookups)
{
	take_call(lookups, iotdata_callset_next(lookups->set));
	show_counts(lookups);
}

/* ---- questions ---- */

/*
 * Build the request in the current memory context. Returns NULL when there is
 * none; an argument that is wrong is the failure of *lookup, which is made for
 * that.
 */
static IotDataRequest *
build_request(IotDataLookups *lookups, const NullableDatum *values,
			  IotDataLookup **lookup)
{
	MemoryContext caller = CurrentMemoryContext;
	IotDataRequest *volatile request = NULL;
	IotDataErrorContext errors;

	iotdata_error_context_push(&errors, lookups->operation->name);
	PG_TRY();
	{
		request = iotdata_request_build(lookups->operation, values,
										&lookups->types, &errors);
	}
	PG_CATCH();
	{
		*lookup = iotdata_known_create_ended(&lookups->known);
		catch(*lookup, caller, &errors);
	}
	PG_END_TRY();
	iotdata_error_context_pop(&errors);
	return request;
}

/*
 * How old a cached answer may be; negative: none will do. One that was observed
 * since the lookups began is as good as one that they remember, and older ones
 * are for those who give a max_age.
 */
static int64
acceptable_age(const IotDataLookups *lookups, const IotDataRequest *request)
{
	if (request->max_age >= 0 || !lookups->known.has_forgotten ||
		iotdata_operation_argument(lookups->operation, IOTDATA_ROLE_MAX_AGE) == NULL)
		return request->max_age;
	return GetCurrentTimestamp() - lookups->begun;
}

/* Is there a cached answer that will do? */
static bool
take_cached(IotDataLookup *lookup, const IotDataRequest *request)
{
	char		buffer[IOTDATA_CACHE_MAX_LENGTH];
	IotDataCacheKey key;
	IotDataCachedAnswer cached;
	IotDataAnswer answer;
	int64		max_age = acceptable_age(lookup->lookups, request);

	if (max_age < 0)
		return false;
	if (request->max_age >= 0)
		iotdata_preload_notice();
	key = iotdata_callset_cache_key(lookup->target->queue, request);
	if (!iotdata_cache_find(&key, max_age, &cached, buffer))
		return false;
	iotdata_answer_from_cache(&answer, request, &cached);
	take_answer(lookup, &answer, request->subject);
	note_hit(lookup);
	lookup->ended = true;
	return true;
}

/* Begin to find out; "context", which has the request, is handed over. */
static void
begin_lookup(IotDataLookup *lookup, MemoryContext context,
			 const IotDataRequest *request)
{
	if (lookup->lookups->operation->items != NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		/* the first request lives as long as its pages */
		lookup->paging = context;
		lookup->pages = iotdata_pages_create(request);
		MemoryContextSwitchTo(caller);
		ask_next_page(lookup);
		return;
	}
	make_call(lookup, context, request);
}

/* Its target cannot be used. */
static IotDataLookup *
fail_target(IotDataLookups *lookups, const IotDataLookupTarget *target,
			const IotDataRequest *request)
{
	IotDataErrorContext errors = {.subject = request->subject};
	IotDataLookup *lookup = iotdata_known_create_ended(&lookups->known);

	fail(lookup, &target->failure, &errors);
	lookup->is_own = false;
	return lookup;
}

/*
 * The lookup for a request: one that is known, or a new one. "begun" gets
 * whether it has taken over "context", which the request is in.
 */
static IotDataLookup *
look_up(IotDataLookups *lookups, const IotDataRequest *request, MemoryContext context,
		bool *begun)
{
	IotDataLookupTarget *target = iotdata_lookup_targets_get(&lookups->targets, request->server);
	IotDataLookup wanted = {
		.target = target,
		.key = unconstify(char *, request->request_target),
		.key_length = request->request_target_length,
		.max_age = request->max_age,
		.hash = hash_bytes((const unsigned char *) request->request_target,
						   (int) request->request_target_length)
	};
	IotDataLookup *lookup;

	if (target->queue == NULL)
		return fail_target(lookups, target, request);
	wanted.hash = hash_combine(wanted.hash, (uint32) (uintptr_t) target);
	lookup = iotdata_known_find(&lookups->known, &wanted);
	if (lookup != NULL)
	{
		lookups->counts.duplicates++;
		return lookup;
	}
	lookup = iotdata_known_add(&lookups->known, &wanted);
	if (take_cached(lookup, request))
		return lookup;
	*begun = true;
	begin_lookup(lookup, context, request);
	return lookup;
}

static void
note_asked(IotDataLookup *lookup)
{
	IotDataLookups *lookups = lookup->lookups;

	lookups->counts.asked++;
	if (lookup->ended)
		lookups->counts.answered++;
	else
		lookup->askers++;
	show_counts(lookups);
}

IotDataLookup *
iotdata_lookups_ask(IotDataLookups *lookups, const NullableDatum *values)
{
	MemoryContext context = take_spare(lookups);
	MemoryContext caller = MemoryContextSwitchTo(context);
	IotDataLookup *lookup = NULL;
	IotDataRequest *request = build_request(lookups, values, &lookup);
	bool		begun = false;

	if (request != NULL)
		lookup = look_up(lookups, request, context, &begun);
	MemoryContextSwitchTo(caller);
	if (!begun)
	{
		MemoryContextReset(context);
		lookups->spare = context;
	}
	if (lookup != NULL)
		note_asked(lookup);
	return lookup;
}
