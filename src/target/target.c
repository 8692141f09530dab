/*
 * target.c
 *		Targets as objects, counted and cleared.
 */
#include "postgres.h"

#include "target/target.h"
#include "utils/memutils.h"

/*
 * Those of servers, of which there may be many, and which stay: this kind of
 * context gives each no more than its size.
 */
static MemoryContext targets;

/* The strings of a target, each of which may be NULL. */
static const size_t strings[] = {
	offsetof(IotDataTarget, endpoint_source),
	offsetof(IotDataTarget, region_source),
	offsetof(IotDataTarget, ca_file),
	offsetof(IotDataTarget, credentials.access_key_id),
	offsetof(IotDataTarget, credentials.secret_access_key),
	offsetof(IotDataTarget, credentials.session_token),
	offsetof(IotDataTarget, credentials.profile),
	offsetof(IotDataTarget, credentials.role_arn),
	offsetof(IotDataTarget, credentials.external_id),
	offsetof(IotDataTarget, credentials.role_session_name),
	offsetof(IotDataTarget, credentials.ca_file)
};

static const char **
string_of(IotDataTarget *target, size_t i)
{
	return (const char **) ((char *) target + strings[i]);
}

static size_t
string_size(const char *string)
{
	return string != NULL ? strlen(string) + 1 : 0;
}

/* In one piece with its strings, so that it is cleared as a whole. */
static IotDataTarget *
copy(const IotDataTarget *values)
{
	IotDataTarget *target;
	size_t		size = sizeof(*target);
	char	   *next;

	for (size_t i = 0; i < lengthof(strings); i++)
		size += string_size(*string_of(unconstify(IotDataTarget *, values), i));
	if (targets == NULL && values->server[0] != '\0')
		targets = GenerationContextCreate(TopMemoryContext, "iotdata targets",
										  ALLOCSET_DEFAULT_SIZES);
	target = MemoryContextAlloc(values->server[0] != '\0' ? targets : TopMemoryContext, size);
	*target = *values;
	target->references = 0;
	target->size = size;
	next = (char *) (target + 1);
	for (size_t i = 0; i < lengthof(strings); i++)
	{
		const char *string = *string_of(target, i);

		if (string == NULL)
			continue;
		memcpy(next, string, string_size(string));
		*string_of(target, i) = next;
		next += string_size(string);
	}
	return target;
}

void
iotdata_target_reference(const IotDataTarget *target)
{
	unconstify(IotDataTarget *, target)->references++;
}

void
iotdata_target_leave(const IotDataTarget *target)
{
	IotDataTarget *left = unconstify(IotDataTarget *, target);

	if (--left->references > 0)
		return;
	explicit_bzero(left, left->size);
	pfree(left);
}

/* A holder's reset callback. */
static void
leave(void *arg)
{
	iotdata_target_leave(arg);
}

static void
hold(IotDataTarget *target, MemoryContext holder, MemoryContextCallback *callback)
{
	callback->func = leave;
	callback->arg = target;
	iotdata_target_reference(target);
	MemoryContextRegisterResetCallback(holder, callback);
}

const IotDataTarget *
iotdata_target_create(const IotDataTarget *values, MemoryContext holder)
{
	MemoryContextCallback *callback = MemoryContextAlloc(holder, sizeof(*callback));
	IotDataTarget *target = copy(values);

	hold(target, holder, callback);
	return target;
}

void
iotdata_target_hold(const IotDataTarget *target, MemoryContext holder)
{
	hold(unconstify(IotDataTarget *, target), holder,
		 MemoryContextAlloc(holder, sizeof(MemoryContextCallback)));
}
