/*
 * shared.c
 *		Credentials that sessions have from each other.
 */
#include "postgres.h"

#include "credentials/secret.h"
#include "credentials/shared.h"
#include "lib/stringinfo.h"
#include "shared/secrets.h"
#include "utils/timestamp.h"

#include <openssl/evp.h>

static bool
may_be_shared(const IotDataCredentialsSource *source)
{
	return source->access_key_id == NULL;
}

/* A hash of all that the source says, none of which has a line break. */
static bool
make_key(uint8 key[IOTDATA_SECRETS_KEY_SIZE], const IotDataCredentialsSource *source)
{
	const char *pieces[] = {
		source->profile, source->role_arn, source->external_id, source->role_session_name,
		source->region, source->ca_file
	};
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%d%d%d\n", source->use_default, source->use_fips_endpoint,
					 source->use_dualstack_endpoint);
	for (size_t i = 0; i < lengthof(pieces); i++)
		appendStringInfo(&text, "%s%s\n", pieces[i] != NULL ? "=" : "", pieces[i] != NULL ? pieces[i] : "");
	return EVP_Digest(text.data, (size_t) text.len, key, NULL, EVP_sha256(), NULL) == 1;
}

bool
iotdata_credentials_take_shared(const IotDataCredentialsSource *source, TimestampTz after,
								IotDataCredentialsValues *values, TimestampTz *got_at)
{
	IotDataSharedSecret *secret;
	uint8		key[IOTDATA_SECRETS_KEY_SIZE];
	const char *next;

	if (!may_be_shared(source) || !make_key(key, source))
		return false;
	secret = (IotDataSharedSecret *) iotdata_secret_alloc(sizeof(*secret));
	if (!iotdata_secrets_find(key, secret) || secret->got_at <= after)
		return false;
	*got_at = secret->got_at;
	*values = (IotDataCredentialsValues) {.expire_at = secret->expire_at};
	next = secret->bytes;
	for (int i = 0; i < IOTDATA_CREDENTIALS_NSTRINGS; i++)
	{
		*iotdata_credentials_string(values, i) = *next != '\0' ? next : NULL;
		next += strlen(next) + 1;
	}
	return true;
}

/* The strings, each with its NUL. Returns false when they do not fit. */
static bool
pack(IotDataSharedSecret *secret, const IotDataCredentialsValues *values)
{
	IotDataCredentialsValues given = *values;

	for (int i = 0; i < IOTDATA_CREDENTIALS_NSTRINGS; i++)
	{
		const char *string = *iotdata_credentials_string(&given, i);
		size_t		size = string != NULL ? strlen(string) + 1 : 1;

		if (size > sizeof(secret->bytes) - secret->length)
			return false;
		memcpy(secret->bytes + secret->length, string != NULL ? string : "", size);
		secret->length += size;
	}
	return true;
}

void
iotdata_credentials_share(const IotDataCredentialsSource *source,
						  const IotDataCredentialsValues *values, TimestampTz got_at)
{
	IotDataSharedSecret *secret;
	uint8		key[IOTDATA_SECRETS_KEY_SIZE];

	if (!may_be_shared(source) || TIMESTAMP_IS_NOEND(values->expire_at) || !make_key(key, source))
		return;
	secret = (IotDataSharedSecret *) iotdata_secret_alloc(sizeof(*secret));
	secret->got_at = got_at;
	secret->expire_at = values->expire_at;
	if (pack(secret, values))
		iotdata_secrets_store(key, secret);
}

bool
iotdata_credentials_may_renew(const IotDataCredentialsSource *source, TimestampTz now,
							  TimestampTz since)
{
	uint8		key[IOTDATA_SECRETS_KEY_SIZE];

	return !may_be_shared(source) || !make_key(key, source) ||
		iotdata_secrets_claim(key, now, since);
}
