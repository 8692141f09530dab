/*
 * signature_stages.c
 *	  The stages of Signature Version 4: canonical request, string to sign,
 *	  signature.
 */
#include "http/signature_stages.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* ------ encoding ------ */

void
signature_append_hex(Buffer *buffer, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	buffer_reserve(buffer, 2 * length);
	for (size_t i = 0; i < length; i++)
	{
		buffer->data[buffer->length++] = (uint8_t) digits[bytes[i] >> 4];
		buffer->data[buffer->length++] = (uint8_t) digits[bytes[i] & 15];
	}
}

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '.' || c == '_' || c == '~';
}

static void
append_encoded(Buffer *buffer, const char *text, size_t length, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) text[i];
		char		triple[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (is_unreserved(c) || (keep_slash && c == '/'))
			buffer_append_u8(buffer, c);
		else
			buffer_append(buffer, triple, 3);
	}
}

/* ------ the query ------ */

typedef struct QueryPair
{
	char	   *name;			/* encoded, as the next */
	char	   *value;
} QueryPair;

/* Encoded in the one proper way, however it was sent. */
static char *
normalize(const char *text, size_t length)
{
	char	   *decoded = text_percent_decode(text, length);
	Buffer		encoded = {0};

	/* What cannot be decoded can only be taken as it is. */
	if (decoded != NULL)
		append_encoded(&encoded, decoded, strlen(decoded), false);
	else
		append_encoded(&encoded, text, length, false);
	free(decoded);
	buffer_text(&encoded);
	return (char *) encoded.data;
}

static int
compare_pairs(const void *left, const void *right)
{
	const QueryPair *a = left,
			   *b = right;
	int			order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->value, b->value);
}

static void
append_canonical_query(Buffer *result, const char *query)
{
	size_t		capacity = 1,
				count = 0;
	QueryPair  *pairs;

	for (const char *at = query; *at != '\0'; at++)
		capacity += *at == '&';
	pairs = memory_alloc(capacity * sizeof(QueryPair));
	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&");
		const char *equals = memchr(query, '=', length);
		size_t		name_length = equals != NULL ? (size_t) (equals - query) : length;

		if (length > 0)
		{
			pairs[count].name = normalize(query, name_length);
			pairs[count++].value = equals == NULL ? memory_copy_string("") :
				normalize(equals + 1, length - name_length - 1);
		}
		query += length + (query[length] == '&');
	}
	qsort(pairs, count, sizeof(QueryPair), compare_pairs);
	for (size_t i = 0; i < count; i++)
	{
		if (i > 0)
			buffer_append_u8(result, '&');
		buffer_append_string(result, pairs[i].name);
		buffer_append_u8(result, '=');
		buffer_append_string(result, pairs[i].value);
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}

/* ------ the headers ------ */

/* Without spaces around it, and with one where there were several. */
static void
append_trimmed(Buffer *result, const char *value)
{
	bool		space = false,
				begun = false;

	for (; *value != '\0'; value++)
	{
		if (*value == ' ' || *value == '\t')
		{
			space = begun;
			continue;
		}
		if (space)
			buffer_append_u8(result, ' ');
		buffer_append_u8(result, (unsigned char) *value);
		space = false;
		begun = true;
	}
}

static void
append_canonical_header(Buffer *result, const SignatureRequest *request,
						const char *name, size_t name_length)
{
	bool		first = true;

	buffer_append(result, name, name_length);
	buffer_append_u8(result, ':');
	for (size_t i = 0; i < request->header_count; i++)
	{
		const SignatureHeader *header = &request->headers[i];

		if (strncasecmp(header->name, name, name_length) != 0 ||
			header->name[name_length] != '\0')
			continue;
		if (!first)
			buffer_append_u8(result, ',');
		append_trimmed(result, header->value);
		first = false;
	}
	buffer_append_u8(result, '\n');
}

/* ------ hashes ------ */

/*
 * To find an algorithm and to set up a key takes OpenSSL many times as long as
 * to use them, so both are kept: SHA-256, and HMAC-SHA-256 with the key of the
 * scope that was last asked for.  The requests of a day have one scope.
 */
static EVP_MD_CTX *hasher;
static EVP_MAC_CTX *authenticator;
static char *last_scope;		/* NULL: none yet, as with the next */
static char *last_secret;

/* Whether OpenSSL has done it; there is no reason why it should not. */
static void
check(int result)
{
	if (result == 1)
		return;
	fputs("iotdata-emulator: OpenSSL has no SHA-256\n", stderr);
	exit(1);
}

static void
set_up(void)
{
	EVP_MD	   *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MAC    *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	check(sha256 != NULL && hmac != NULL);
	hasher = EVP_MD_CTX_new();
	authenticator = EVP_MAC_CTX_new(hmac);
	check(hasher != NULL && authenticator != NULL);
	check(EVP_DigestInit_ex(hasher, sha256, NULL));
	EVP_MD_free(sha256);
	EVP_MAC_free(hmac);
}

static void
set_key(const void *key, size_t length)
{
	char		digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()
	};

	check(EVP_MAC_init(authenticator, key, length, parameters));
}

/* With the key that was set. */
static void
authenticate(const void *data, size_t length, uint8_t *result)
{
	check(EVP_MAC_init(authenticator, NULL, 0, NULL));
	check(EVP_MAC_update(authenticator, data, length));
	check(EVP_MAC_final(authenticator, result, NULL, SIGNATURE_HASH_SIZE));
}

/* ------ the stages ------ */

void
signature_canonical_request(const SignatureRequest *request, const char *signed_headers,
							Buffer *result)
{
	size_t		path_length = strcspn(request->target, "?");
	const char *query = request->target + path_length;

	buffer_append_string(result, request->method);
	buffer_append_u8(result, '\n');
	append_encoded(result, request->target, path_length, true);
	buffer_append_u8(result, '\n');
	append_canonical_query(result, *query == '?' ? query + 1 : query);
	buffer_append_u8(result, '\n');
	for (const char *at = signed_headers; *at != '\0';)
	{
		size_t		length = strcspn(at, ";");

		append_canonical_header(result, request, at, length);
		at += length + (at[length] == ';');
	}
	buffer_append_u8(result, '\n');
	buffer_append_string(result, signed_headers);
	buffer_append_u8(result, '\n');
	signature_append_hex(result, request->body_hash, SIGNATURE_HASH_SIZE);
}

void
signature_string_to_sign(const char *timestamp, const char *scope,
						 const Buffer *canonical_request, Buffer *result)
{
	uint8_t		hash[SIGNATURE_HASH_SIZE];

	if (hasher == NULL)
		set_up();
	check(EVP_DigestInit_ex(hasher, NULL, NULL));
	check(EVP_DigestUpdate(hasher, canonical_request->data, canonical_request->length));
	check(EVP_DigestFinal_ex(hasher, hash, NULL));
	buffer_append_string(result, "AWS4-HMAC-SHA256\n");
	buffer_append_string(result, timestamp);
	buffer_append_u8(result, '\n');
	buffer_append_string(result, scope);
	buffer_append_u8(result, '\n');
	signature_append_hex(result, hash, sizeof(hash));
}

/* The key of each part of the scope is made from the one before. */
static void
begin_scope(const char *secret_access_key, const char *scope)
{
	Buffer		first = {0};
	uint8_t		key[SIGNATURE_HASH_SIZE];

	if (authenticator == NULL)
		set_up();
	if (last_scope != NULL && strcmp(scope, last_scope) == 0 &&
		strcmp(secret_access_key, last_secret) == 0)
		return;
	free(last_scope);
	free(last_secret);
	last_scope = memory_copy_string(scope);
	last_secret = memory_copy_string(secret_access_key);

	buffer_append_string(&first, "AWS4");
	buffer_append_string(&first, secret_access_key);
	set_key(first.data, first.length);
	for (const char *at = scope; *at != '\0';)
	{
		size_t		length = strcspn(at, "/");

		authenticate(at, length, key);
		set_key(key, sizeof(key));
		at += length + (at[length] == '/');
	}
	OPENSSL_cleanse(first.data, first.length);
	OPENSSL_cleanse(key, sizeof(key));
	buffer_free(&first);
}

void
signature_compute(const char *secret_access_key, const char *scope,
				  const Buffer *string_to_sign, uint8_t signature[SIGNATURE_HASH_SIZE])
{
	begin_scope(secret_access_key, scope);
	authenticate(string_to_sign->data, string_to_sign->length, signature);
}

void
signature_free(void)
{
	EVP_MD_CTX_free(hasher);
	EVP_MAC_CTX_free(authenticator);
	free(last_scope);
	free(last_secret);
	hasher = NULL;
	authenticator = NULL;
	last_scope = last_secret = NULL;
}
