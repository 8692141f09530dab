/*
 * scope.c
 *		Whose answers a call gets: part of the key of each cached answer.
 */
#include "postgres.h"

#include "call/scope.h"
#include "credentials/credentials.h"
#include "credentials/secret.h"
#include "error/raise.h"
#include "utils/memutils.h"

#include <openssl/evp.h>

/* What was hashed last: it is the same for most calls. */
static MemoryContext last_context;	/* holds the credentials */
static const IotDataCredentials *last_credentials;
static IotDataTarget last_target;
static uint8 last_scope[IOTDATA_CACHE_SCOPE_SIZE];

static bool
is_last(const IotDataTarget *target, const IotDataCredentials *credentials)
{
	return credentials == last_credentials &&
		target->endpoint.https == last_target.endpoint.https &&
		strcmp(target->endpoint.authority, last_target.endpoint.authority) == 0 &&
		strcmp(target->region, last_target.region) == 0;
}

static void
remember(const IotDataTarget *target, const IotDataCredentials *credentials,
		 const uint8 scope[IOTDATA_CACHE_SCOPE_SIZE])
{
	if (last_context == NULL)
		last_context = AllocSetContextCreate(TopMemoryContext, "iotdata scope",
											 ALLOCSET_SMALL_SIZES);
	last_credentials = NULL;
	MemoryContextReset(last_context);
	iotdata_credentials_hold(credentials, last_context);
	last_credentials = credentials;
	last_target = *target;
	memcpy(last_scope, scope, sizeof(last_scope));
}

/*
 * Hash endpoint, region, and whom the service takes the caller for: what the
 * credentials' source has proven to it, or the very keys. None of these
 * contains a line break.
 */
static bool
hash(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE], const IotDataTarget *target,
	 const IotDataCredentialsValues *values)
{
	const char *pieces[] = {
		target->endpoint.https ? "https" : "http", target->endpoint.authority, target->region,
		values->identity != NULL ? "identity" : values->access_key_id,
		values->identity != NULL ? values->identity : values->secret_access_key
	};
	size_t		size = 1;
	char	   *text;
	char	   *end;

	for (size_t i = 0; i < lengthof(pieces); i++)
		size += strlen(pieces[i]) + 1;
	text = end = iotdata_secret_alloc(size);
	for (size_t i = 0; i < lengthof(pieces); i++)
	{
		end = stpcpy(end, pieces[i]);
		*end++ = '\n';
	}
	return EVP_Digest(text, (size_t) (end - text), scope, NULL, EVP_sha256(), NULL) == 1;
}

void
iotdata_scope(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE], const IotDataTarget *target)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "iotdata scope",
											   ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	const IotDataCredentials *credentials;
	IotDataFailure failure;

	if (iotdata_credentials_get(&target->credentials, work, &credentials, &failure) != IOTDATA_CREDENTIALS_FOUND)
		iotdata_raise(&failure);
	if (is_last(target, credentials))
		memcpy(scope, last_scope, sizeof(last_scope));
	else
	{
		if (!hash(scope, target, &credentials->values))
			iotdata_raise_resources("the credentials could not be hashed");
		remember(target, credentials, scope);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}
