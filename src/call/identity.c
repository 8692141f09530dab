/*
 * identity.c
 *		As whom calls are made: whose answers they get, whose quota they use,
 *		and under which account they are counted.
 */
#include "postgres.h"

#include "aws/access_key.h"
#include "call/identity.h"
#include "common/hashfn.h"
#include "credentials/credentials.h"
#include "credentials/secret.h"
#include "error/raise.h"
#include "utils/memutils.h"

#include <openssl/evp.h>

/* how much of an access key id is shown, and of how long a one at least */
#define SHOWN_SUFFIX 4
#define SHOWN_FROM 8

/* What was hashed last: it is the same for most calls. */
static MemoryContext last_context;	/* holds these two */
static const IotDataCredentials *last_credentials;
static const IotDataTarget *last_target;
static uint8 last_scope[IOTDATA_CACHE_SCOPE_SIZE];

static bool
is_last(const IotDataTarget *target, const IotDataCredentials *credentials)
{
	return credentials == last_credentials &&
		target->endpoint.https == last_target->endpoint.https &&
		strcmp(target->endpoint.authority, last_target->endpoint.authority) == 0 &&
		strcmp(target->region, last_target->region) == 0;
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
	iotdata_target_hold(target, last_context);
	last_credentials = credentials;
	last_target = target;
	memcpy(last_scope, scope, sizeof(last_scope));
}

/*
 * Hash endpoint, region, and whom the service takes the caller for: what the
 * credentials' source has proven to it, or the very keys. None of these
 * contains a line break; which of the two it is comes first, because keys can be
 * made to look like anything.
 */
static bool
hash_scope(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE], const IotDataTarget *target,
		   const IotDataCredentialsValues *values)
{
	const char *pieces[] = {
		target->endpoint.https ? "https" : "http", target->endpoint.authority, target->region,
		values->identity != NULL ? "identity" : "keys",
		values->identity != NULL ? values->identity : values->access_key_id,
		values->identity != NULL ? "" : values->secret_access_key
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

static void
set_scope(IotDataIdentity *identity, const IotDataTarget *target,
		  const IotDataCredentials *credentials)
{
	if (!is_last(target, credentials))
	{
		if (!hash_scope(identity->scope, target, &credentials->values))
			iotdata_raise_resources("the credentials could not be hashed");
		remember(target, credentials, identity->scope);
	}
	memcpy(identity->scope, last_scope, sizeof(last_scope));
}

void
iotdata_identity_account(char account[IOTDATA_ACCOUNT_SIZE], const char *access_key_id)
{
	size_t		length = strlen(access_key_id);

	StaticAssertStmt(IOTDATA_ACCOUNT_SIZE >= IOTDATA_ACCOUNT_ID_SIZE, "an account has room");
	if (iotdata_access_key_account(account, access_key_id))
		return;
	snprintf(account, IOTDATA_ACCOUNT_SIZE, "****%s",
			 length >= SHOWN_FROM ? access_key_id + length - SHOWN_SUFFIX : "");
}

static uint64
hash_string(uint64 seed, const char *string)
{
	return hash_bytes_extended((const unsigned char *) string, (int) strlen(string) + 1, seed);
}

static uint64
hash_quota(const IotDataTarget *target, const char *access_key_id)
{
	char		account[IOTDATA_ACCOUNT_ID_SIZE];
	uint64		hash = hash_string(0, target->region);

	hash = hash_string(hash, iotdata_access_key_account(account, access_key_id) ?
					   account : access_key_id);
	if (!iotdata_endpoint_is_of_region(&target->endpoint, target->region))
		hash = hash_string(hash, target->endpoint.authority);
	if (target->read_rate >= 0 || target->send_rate >= 0)
	{
		hash = hash_combine64(hash, (uint64) target->read_rate);
		hash = hash_combine64(hash, (uint64) target->send_rate);
	}
	return hash;
}

bool
iotdata_identity_get(IotDataIdentity *identity, const IotDataTarget *target,
					 IotDataFailure *failure)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "iotdata identity", ALLOCSET_SMALL_SIZES);
	const IotDataCredentials *credentials;
	IotDataCredentialsResult result = iotdata_credentials_get(&target->credentials, work,
															  &credentials, failure);

	if (result == IOTDATA_CREDENTIALS_FOUND)
	{
		const char *access_key_id = credentials->values.access_key_id;

		MemoryContextSwitchTo(work);
		set_scope(identity, target, credentials);
		iotdata_identity_account(identity->account, access_key_id);
		identity->quota = hash_quota(target, access_key_id);
		MemoryContextSwitchTo(caller);
	}
	MemoryContextDelete(work);
	return result == IOTDATA_CREDENTIALS_FOUND;
}
