/*
 * scope.c
 *		Calls and the answers that are kept (shared/cache.h).
 */
#include "postgres.h"

#include "call/preload_notice.h"
#include "call/scope.h"
#include "credentials/credentials.h"
#include "error/raise.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include <openssl/evp.h>

/* Hash what decides the scope, unless it is what was hashed last. */
static bool
hash_scope(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE], StringInfo text)
{
	static char *last_text = NULL;
	static uint8 last_scope[IOTDATA_CACHE_SCOPE_SIZE];

	if (last_text == NULL || strcmp(last_text, text->data) != 0)
	{
		char	   *copy;

		if (EVP_Digest(text->data, (size_t) text->len, last_scope, NULL,
					   EVP_sha256(), NULL) != 1)
			return false;
		copy = MemoryContextStrdup(TopMemoryContext, text->data);
		if (last_text != NULL)
			pfree(last_text);
		last_text = copy;
	}
	memcpy(scope, last_scope, sizeof(last_scope));
	return true;
}

void
iotdata_keep_scope(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE],
				   const IotDataTarget *target)
{
	IotDataCredentials credentials;
	IotDataFailure failure;
	StringInfoData text;

	if (iotdata_credentials_find(&credentials, &failure) != IOTDATA_CREDENTIALS_FOUND)
		iotdata_raise(&failure);
	/* none of these contains a line break */
	initStringInfo(&text);
	appendStringInfo(&text, "%s\n%s\n%s\n%s\n%s", target->endpoint.https ? "https" : "http",
					 target->endpoint.authority, target->region,
					 credentials.access_key_id, credentials.secret_access_key);
	if (!hash_scope(scope, &text))
		iotdata_raise_resources("the credentials could not be hashed");
	pfree(text.data);
}

static IotDataCacheKey
make_key(const uint8 *scope, const IotDataRequest *request)
{
	IotDataCacheKey key = {
		.scope = scope,
		.request = request->request_target,
		.length = request->request_target_length,
		.hash = iotdata_cache_hash(scope, request->request_target, request->request_target_length)
	};

	return key;
}

bool
iotdata_keep_look(const uint8 *scope, const IotDataRequest *request,
				  IotDataCachedAnswer *kept)
{
	IotDataCacheKey key = make_key(scope, request);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz oldest = DT_NOBEGIN;

	iotdata_preload_notice();
	if (request->max_age < now - MIN_TIMESTAMP)
		oldest = now - request->max_age;
	return iotdata_cache_find(&key, oldest, kept);
}

bool
iotdata_keep_find(const uint8 *scope, IotDataCall *call)
{
	IotDataCachedAnswer kept;
	IotDataCachedAnswer *copy;
	size_t		size;

	if (!iotdata_keep_look(scope, call->request, &kept))
		return false;
	size = offsetof(IotDataCachedAnswer, bytes) + kept.length;
	copy = MemoryContextAlloc(call->context, size);
	memcpy(copy, &kept, size);
	call->kept = copy;
	return true;
}

bool
iotdata_keep_claim(const uint8 *scope, IotDataCall *call, int64 now, int64 *wait)
{
	IotDataCacheKey key = make_key(scope, call->request);

	return iotdata_cache_claim(&key, now, &call->claim, wait);
}

void
iotdata_keep_store(const uint8 *scope, const IotDataRequest *request,
				   const IotDataCachedAnswer *kept)
{
	IotDataCacheKey key = make_key(scope, request);

	iotdata_cache_store(&key, kept);
}
