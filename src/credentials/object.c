/*
 * object.c
 *		Credentials: what requests are signed with, counted and cleared.
 */
#include "postgres.h"

#include "credentials/object.h"
#include "utils/memutils.h"

const char **
iotdata_credentials_string(IotDataCredentialsValues *values, int number)
{
	static const size_t strings[] = {
		offsetof(IotDataCredentialsValues, access_key_id),
		offsetof(IotDataCredentialsValues, secret_access_key),
		offsetof(IotDataCredentialsValues, session_token),
		offsetof(IotDataCredentialsValues, identity),
		offsetof(IotDataCredentialsValues, provider),
		offsetof(IotDataCredentialsValues, origin)
	};

	StaticAssertStmt(lengthof(strings) == IOTDATA_CREDENTIALS_NSTRINGS, "all strings are here");
	return (const char **) ((char *) values + strings[number]);
}

/* A holder's reset callback. */
static void
release(void *arg)
{
	IotDataCredentials *credentials = arg;

	if (--credentials->references > 0)
		return;
	explicit_bzero(credentials, credentials->size);
	pfree(credentials);
}

static void
hold(IotDataCredentials *credentials, MemoryContext holder,
	 MemoryContextCallback *callback)
{
	callback->func = release;
	callback->arg = credentials;
	credentials->references++;
	MemoryContextRegisterResetCallback(holder, callback);
}

/* An object in one piece with its strings, so that it is cleared as a whole. */
static IotDataCredentials *
copy(const IotDataCredentialsValues *values)
{
	IotDataCredentialsValues given = *values;
	IotDataCredentials *credentials;
	size_t		size = sizeof(*credentials);
	char	   *next;

	for (int i = 0; i < IOTDATA_CREDENTIALS_NSTRINGS; i++)
	{
		const char *string = *iotdata_credentials_string(&given, i);

		size += string != NULL ? strlen(string) + 1 : 0;
	}
	credentials = MemoryContextAllocZero(TopMemoryContext, size);
	credentials->values = given;
	credentials->size = size;
	next = (char *) (credentials + 1);
	for (int i = 0; i < IOTDATA_CREDENTIALS_NSTRINGS; i++)
	{
		const char *string = *iotdata_credentials_string(&given, i);

		if (string == NULL)
			continue;
		*iotdata_credentials_string(&credentials->values, i) = strcpy(next, string);
		next += strlen(string) + 1;
	}
	return credentials;
}

const IotDataCredentials *
iotdata_credentials_create(const IotDataCredentialsValues *values,
						   MemoryContext holder)
{
	MemoryContextCallback *callback = MemoryContextAlloc(holder, sizeof(*callback));
	IotDataCredentials *credentials = copy(values);

	hold(credentials, holder, callback);
	return credentials;
}

void
iotdata_credentials_hold(const IotDataCredentials *credentials,
						 MemoryContext holder)
{
	hold(unconstify(IotDataCredentials *, credentials), holder,
		 MemoryContextAlloc(holder, sizeof(MemoryContextCallback)));
}
