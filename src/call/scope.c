/*
 * scope.c
 *		Whose answers a call gets: part of the key of each cached answer.
 */
#include "postgres.h"

#include "call/scope.h"
#include "credentials/credentials.h"
#include "error/raise.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

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
iotdata_scope(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE], const IotDataTarget *target)
{
	const IotDataCredentials *credentials;
	IotDataFailure failure;
	StringInfoData text;

	if (iotdata_credentials_get(&target->credentials, CurrentMemoryContext,
								&credentials, &failure) != IOTDATA_CREDENTIALS_FOUND)
		iotdata_raise(&failure);
	/* none of these contains a line break */
	initStringInfo(&text);
	appendStringInfo(&text, "%s\n%s\n%s\n%s\n%s", target->endpoint.https ? "https" : "http",
					 target->endpoint.authority, target->region,
					 credentials->values.access_key_id,
					 credentials->values.secret_access_key);
	if (!hash_scope(scope, &text))
		iotdata_raise_resources("the credentials could not be hashed");
	pfree(text.data);
}
