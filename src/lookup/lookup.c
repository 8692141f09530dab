/*
 * lookup.c
 *		Many reads of one operation: as many at once as the limits allow, equal
 *		ones made once, and each with its own rows or its own failure.
 *
 * Everything is in one memory context, but for what belongs to a call: each
 * call has a context of its own, which the call set takes over. A lookup is in
 * the table as long as it is known; one that has ended and that nobody refers
 * to is in one of two lists of idle ones as well, the oldest first, and is
 * forgotten from there when all of that list hold more memory than they may.
 * That is little for those that a cached answer served, which is most likely
 * there to be taken again: to remember thousands of them takes longer than that.
 * Once others were forgotten, too, those who
 * ask look into the response cache for an answer that was observed since these
 * lookups began: it is what a larger memory would have remembered. So answers
 * are stored there from the first one on.
 *
 * Errors about one lookup (its arguments, its answer) are raised by what is
 * called here, and caught: they stay with the lookup until its turn comes.
 * That takes no subtransaction, because nothing in between holds anything but
 * memory of a context that is reset. Any other error passes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "answer/answer.h"
#include "answer/decode.h"
#include "call/callset.h"
#include "call/identity.h"
#include "call/preload_notice.h"
#include "common/hashfn.h"
#include "compat.h"
#include "error/raise.h"
#include "lookup/lookup.h"
#include "request/request.h"
#include "shared/progress.h"
#include "shared/statistics.h"
#include "target/find.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A target that lookups go to, for as long as they live. */
typedef struct IotDataLookupTarget
{
	dlist_node	node;			/* in the list of all */
	const IotDataTarget *target;	/* with a reference of ours; NULL: see
									 * failure */
	IotDataCallQueue *queue;	/* NULL: see failure */
	IotDataFailure failure;
	char		account[IOTDATA_ACCOUNT_SIZE];	/* the queue is gone first */
	int64		cache_hits;
} IotDataLookupTarget;

/* And by its server's name. */
typedef struct NamedTarget
{
	NameData	server;
	IotDataLookupTarget *target;
} NamedTarget;

typedef struct TableEntry
{
	IotDataLookup *lookup;
	uint32		hash;			/* the lookup's: it need not be looked at */
	char		status;			/* simplehash's */
} TableEntry;

/* A lookup by its key: the hash is only a shortcut. */
#define SH_PREFIX table
#define SH_ELEMENT_TYPE TableEntry
#define SH_KEY_TYPE IotDataLookup *
#define SH_KEY lookup
#define SH_HASH_KEY(tb, key) ((key)->hash)
#define SH_EQUAL(tb, a, b) \
	((a)->key_length == (b)->key_length && (a)->max_age == (b)->max_age && \
	 (a)->target == (b)->target && \
	 memcmp((a)->key, (b)->key, (a)->key_length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* bytes that lookups which a cached answer served may hold when they are idle */
#define MAX_CACHED_MEMORY (256 * 1024)

/* Lookups that nobody refers to. */
typedef struct IdleLookups
{
	dlist_head	list;			/* the oldest first */
	size_t		memory;			/* bytes that they hold, */
	size_t		max_memory;		/* and may */
} IdleLookups;

struct IotDataLookups
{
	MemoryContext context;
	const IotDataOperation *operation;
	IotDataArgumentTypes types;
	TupleDesc	columns;
	bool		needed[IOTDATA_MAX_COLUMNS];	/* of the columns */
	TupleDesc	row_columns;	/* those */
	int			numbers[IOTDATA_MAX_COLUMNS];	/* which they are */
	dlist_head	targets;		/* all of them */
	HTAB	   *named;			/* of NamedTarget */
	IotDataLookupTarget *unnamed;	/* that of lookups that name no server,
									 * when it is known */
	IotDataCallSet *set;
	table_hash *table;
	IdleLookups idle;			/* that were asked for, */
	IdleLookups cached;			/* and that a cached answer served */
	bool		has_forgotten;	/* one that was asked for */
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
	dlist_iter	iter;

	iotdata_progress_end(lookups->progress);
	dlist_foreach(iter, &lookups->targets)
	{
		const IotDataLookupTarget *target = dlist_container(IotDataLookupTarget, node, iter.cur);

		if (target->cache_hits > 0)
			iotdata_statistics_note_hits(target->target->endpoint.authority, target->account,
										 lookups->operation->name,
										 (uint64) target->cache_hits);
		if (target->target != NULL)
			iotdata_target_leave(target->target);
	}
}

static void
note_needed_columns(IotDataLookups *lookups, const bool *needed)
{
	int			count = 0;

	for (int i = 0; i < lookups->columns->natts; i++)
	{
		lookups->needed[i] = needed == NULL || needed[i];
		if (lookups->needed[i])
			lookups->numbers[count++] = i;
	}
	lookups->row_columns = iotdata_some_columns(lookups->columns, lookups->numbers, count);
}

static HTAB *
create_names(MemoryContext context)
{
	HASHCTL		control = {
		.keysize = NAMEDATALEN,
		.entrysize = sizeof(NamedTarget),
		.hcxt = context
	};

	return hash_create("iotdata lookup targets", 8, &control,
					   HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
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
	lookups->columns = CreateTupleDescCopy(columns);
	note_needed_columns(lookups, needed);
	dlist_init(&lookups->targets);
	lookups->named = create_names(context);
	lookups->set = iotdata_callset_create();
	lookups->table = table_create(context, 128, NULL);
	dlist_init(&lookups->idle.list);
	lookups->idle.max_memory = memory;
	dlist_init(&lookups->cached.list);
	lookups->cached.max_memory = Min(memory, MAX_CACHED_MEMORY);
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

/* ---- targets ---- */

static IotDataFailure
copy_failure(const IotDataFailure *failure)
{
	IotDataFailure copy = *failure;

	copy.message = pstrdup(failure->message);
	copy.detail = failure->detail != NULL ? pstrdup(failure->detail) : NULL;
	copy.hint = failure->hint != NULL ? pstrdup(failure->hint) : NULL;
	return copy;
}

/* The target of a server's name, or of none, with its queue or a failure. */
static IotDataLookupTarget *
find_target(IotDataLookups *lookups, const char *server)
{
	IotDataLookupTarget *target = MemoryContextAllocZero(lookups->context, sizeof(*target));
	IotDataFailure failure;

	dlist_push_tail(&lookups->targets, &target->node);
	target->target = iotdata_target_find(server, CurrentMemoryContext, &failure);
	if (target->target != NULL)
		iotdata_target_reference(target->target);
	if (target->target != NULL)
		target->queue = iotdata_callset_queue(lookups->set, target->target, &failure);
	if (target->queue != NULL)
		strlcpy(target->account, iotdata_callset_account(target->queue), sizeof(target->account));
	else
	{
		MemoryContext caller = MemoryContextSwitchTo(lookups->context);

		target->failure = copy_failure(&failure);
		MemoryContextSwitchTo(caller);
	}
	return target;
}

/* The same, found once: it stays what it is for as long as the lookups live. */
static IotDataLookupTarget *
target_of(IotDataLookups *lookups, const char *server)
{
	NamedTarget wanted;
	NamedTarget *known;

	if (server == NULL)
	{
		if (lookups->unnamed == NULL)
			lookups->unnamed = find_target(lookups, NULL);
		return lookups->unnamed;
	}
	namestrcpy(&wanted.server, server);
	known = hash_search(lookups->named, &wanted.server, HASH_FIND, NULL);
	if (known == NULL)
	{
		wanted.target = find_target(lookups, server);
		known = hash_search(lookups->named, &wanted.server, HASH_ENTER, NULL);
		known->target = wanted.target;
	}
	return known->target;
}

void
iotdata_lookups_check_target(IotDataLookups *lookups, const char *server)
{
	const IotDataLookupTarget *target = target_of(lookups, server);

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

/* ---- what is known ---- */

static void
forget(IotDataLookup *lookup)
{
	for (int i = 0; i < lookup->nrows; i++)
		heap_freetuple(lookup->rows[i]);
	if (lookup->rows != &lookup->row && lookup->rows != NULL)
		pfree(lookup->rows);
	if (lookup->failure != NULL)
		pfree(unconstify(IotDataFailure *, lookup->failure));
	pfree(lookup);
}

/* The list that it is in when nobody refers to it. */
static IdleLookups *
idle_of(IotDataLookup *lookup)
{
	return lookup->is_cached ? &lookup->lookups->cached : &lookup->lookups->idle;
}

void
iotdata_lookup_release(IotDataLookup *lookup)
{
	IotDataLookups *lookups = lookup->lookups;
	IdleLookups *idle = idle_of(lookup);

	if (--lookup->references > 0 || !lookup->ended)
		return;
	if (lookup->key_length == 0)	/* its arguments were wrong: not in the
									 * table */
	{
		forget(lookup);
		return;
	}
	dlist_push_tail(&idle->list, &lookup->idle);
	idle->memory += lookup->memory;
	while (idle->memory > idle->max_memory)
	{
		IotDataLookup *oldest = dlist_container(IotDataLookup, idle,
												dlist_pop_head_node(&idle->list));

		idle->memory -= oldest->memory;
		lookups->has_forgotten |= !oldest->is_cached;
		table_delete(lookups->table, oldest);
		forget(oldest);
	}
}

static IotDataLookup *
refer_to(IotDataLookup *lookup)
{
	if (lookup->references++ == 0 && lookup->ended)
	{
		dlist_delete(&lookup->idle);
		idle_of(lookup)->memory -= lookup->memory;
	}
	return lookup;
}

/* For a row, which most have, there is room in the lookup itself. */
static void
make_room(IotDataLookup *lookup)
{
	if (lookup->lookups->operation->items == NULL && lookup->room == 0)
	{
		lookup->rows = &lookup->row;
		lookup->room = 1;
		return;
	}
	lookup->room = Max(lookup->room * 2, 8);
	lookup->rows = lookup->rows == NULL ?
		MemoryContextAlloc(lookup->lookups->context, lookup->room * sizeof(HeapTuple)) :
		repalloc_huge(lookup->rows, lookup->room * sizeof(HeapTuple));
}

static HeapTuple
make_row(const IotDataLookups *lookups, const IotDataAnswer *answer,
		 const IotDataJsonValue *values)
{
	Datum		datums[IOTDATA_MAX_COLUMNS];
	bool		nulls[IOTDATA_MAX_COLUMNS];
	MemoryContext caller;
	HeapTuple	row;

	iotdata_decode(answer, values, lookups->columns, lookups->needed, datums, nulls);
	for (int i = 0; i < lookups->row_columns->natts; i++)
	{
		datums[i] = datums[lookups->numbers[i]];
		nulls[i] = nulls[lookups->numbers[i]];
	}
	caller = MemoryContextSwitchTo(lookups->context);
	row = heap_form_tuple(lookups->row_columns, datums, nulls);
	MemoryContextSwitchTo(caller);
	return row;
}

void
iotdata_lookup_row(const IotDataLookup *lookup, int number, Datum *values, bool *nulls)
{
	const IotDataLookups *lookups = lookup->lookups;

	heap_deform_tuple(lookup->rows[number], lookups->row_columns, values, nulls);
	/* backward: a column comes from one that is not behind it */
	for (int i = lookups->columns->natts - 1, from = lookups->row_columns->natts - 1; i >= 0; i--)
	{
		if (!lookups->needed[i])
			nulls[i] = true;
		else
		{
			values[i] = values[from];
			nulls[i] = nulls[from--];
		}
	}
}

static void
add_row(IotDataLookup *lookup, const IotDataAnswer *answer,
		const IotDataJsonValue *values)
{
	HeapTuple	row = make_row(lookup->lookups, answer, values);

	if (lookup->nrows == lookup->room)
		make_room(lookup);
	lookup->rows[lookup->nrows++] = row;
	lookup->memory += GetMemoryChunkSpace(row);
	if (lookup->rows != &lookup->row)
		lookup->memory += sizeof(HeapTuple);
}

/* ---- answers ---- */

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

/* A lookup that has ended as it began, and is not in the table. */
static IotDataLookup *
create_failed(IotDataLookups *lookups)
{
	IotDataLookup *lookup = MemoryContextAllocZero(lookups->context, sizeof(*lookup));

	lookup->lookups = lookups;
	lookup->references = 1;
	lookup->ended = true;
	return lookup;
}

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
		*lookup = create_failed(lookups);
		catch(*lookup, caller, &errors);
	}
	PG_END_TRY();
	iotdata_error_context_pop(&errors);
	return request;
}

/* Put a lookup that is new into the table. */
static IotDataLookup *
remember(IotDataLookups *lookups, const IotDataLookup *wanted)
{
	IotDataLookup *lookup = MemoryContextAlloc(lookups->context,
											   sizeof(*lookup) + wanted->key_length);
	TableEntry *entry;
	bool		found;

	memset(lookup, 0, sizeof(*lookup));
	lookup->lookups = lookups;
	lookup->references = 1;
	lookup->target = wanted->target;
	lookup->hash = wanted->hash;
	lookup->key_length = wanted->key_length;
	lookup->max_age = wanted->max_age;
	lookup->key = (char *) (lookup + 1);
	memcpy(lookup->key, wanted->key, wanted->key_length);
	/* with its entry of the table, which is half full */
	lookup->memory = GetMemoryChunkSpace(lookup) + 2 * sizeof(TableEntry);
	entry = table_insert(lookups->table, lookup, &found);
	Assert(!found);
	entry->lookup = lookup;
	return lookup;
}

/*
 * How old a cached answer may be; negative: none will do. One that was observed
 * since the lookups began is as good as one that they remember, and older ones
 * are for those who give a max_age.
 */
static int64
acceptable_age(const IotDataLookups *lookups, const IotDataRequest *request)
{
	if (request->max_age >= 0 || !lookups->has_forgotten ||
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
	IotDataLookup *lookup = create_failed(lookups);

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
	IotDataLookupTarget *target = target_of(lookups, request->server);
	IotDataLookup wanted = {
		.target = target,
		.key = unconstify(char *, request->request_target),
		.key_length = request->request_target_length,
		.max_age = request->max_age,
		.hash = hash_bytes((const unsigned char *) request->request_target,
						   (int) request->request_target_length)
	};
	IotDataLookup *lookup;
	TableEntry *entry;

	if (target->queue == NULL)
		return fail_target(lookups, target, request);
	wanted.hash = hash_combine(wanted.hash, (uint32) (uintptr_t) target);
	entry = table_lookup(lookups->table, &wanted);
	if (entry != NULL)
	{
		lookups->counts.duplicates++;
		return refer_to(entry->lookup);
	}
	lookup = remember(lookups, &wanted);
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
