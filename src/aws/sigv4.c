/*
 * sigv4.c
 *		AWS Signature Version 4, stage by stage, over OpenSSL.
 *
 * Every request is signed anew, so this is on the path of each call. HMAC is
 * built here from SHA-256 (RFC 2104): a few lines, and several times as fast
 * as OpenSSL 3's EVP_MAC for texts as short as these.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "aws/sigv4.h"
#include "aws/uri.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SCOPE_END "aws4_request"
/* of no bytes at all */
#define EMPTY_SHA256 \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define KEY_PREFIX "AWS4"
#define DAY_LENGTH 8			/* "20260601" */
#define DIGEST_SIZE 32
#define BLOCK_SIZE 64			/* of SHA-256, as HMAC needs it */
#define LAST_SECOND INT64_C(253402300799)	/* 9999-12-31 23:59:59 */

/* Some bytes that belong to someone else. */
typedef struct Bytes
{
	const void *data;
	size_t		length;
} Bytes;

/* A pair of the query, as it is sent. */
typedef struct QueryPair
{
	Bytes		key;
	Bytes		value;
} QueryPair;

/*
 * SHA-256 as OpenSSL 3 wants it to be held: looking it up costs more than
 * hashing a request, so it is looked up once and kept for good. It never
 * changes after that, and no one but OpenSSL can tell.
 */
static const EVP_MD *
sha256_method(void)
{
	static const EVP_MD *method = NULL;

	if (method == NULL)
		method = EVP_MD_fetch(NULL, "SHA256", NULL);
	return method;
}

/*
 * What hashes are computed in, one after the other: made once, because making
 * it costs as much as hashing a request.
 */
static EVP_MD_CTX *
sha256_context(void)
{
	static EVP_MD_CTX *context = NULL;

	if (context == NULL)
		context = EVP_MD_CTX_new();
	return context;
}

/* The hash of several pieces, one after the other. */
static bool
sha256(uint8_t digest[DIGEST_SIZE], const Bytes *pieces, int npieces)
{
	const EVP_MD *method = sha256_method();
	EVP_MD_CTX *context = sha256_context();
	bool		ok;

	if (method == NULL || context == NULL)
		return false;
	ok = EVP_DigestInit_ex2(context, method, NULL) == 1;
	for (int i = 0; ok && i < npieces; i++)
		ok = EVP_DigestUpdate(context, pieces[i].data, pieces[i].length) == 1;
	ok = ok && EVP_DigestFinal_ex(context, digest, NULL) == 1;
	return ok;
}

/* HMAC-SHA-256 under a key that is padded with zeros to a block already. */
static bool
hmac(uint8_t digest[DIGEST_SIZE], const uint8_t key_block[BLOCK_SIZE],
	 const void *text, size_t length)
{
	uint8_t		pad[BLOCK_SIZE];
	uint8_t		inner[DIGEST_SIZE];
	const Bytes within[] = {{pad, BLOCK_SIZE}, {text, length}};
	const Bytes around[] = {{pad, BLOCK_SIZE}, {inner, DIGEST_SIZE}};
	bool		ok;

	for (int i = 0; i < BLOCK_SIZE; i++)
		pad[i] = key_block[i] ^ 0x36;
	ok = sha256(inner, within, 2);
	for (int i = 0; i < BLOCK_SIZE; i++)
		pad[i] = key_block[i] ^ 0x5c;
	ok = ok && sha256(digest, around, 2);
	OPENSSL_cleanse(pad, sizeof(pad));
	OPENSSL_cleanse(inner, sizeof(inner));
	return ok;
}

static void
append_hex(IotDataBuffer *out, const uint8_t digest[DIGEST_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char		hex[2 * DIGEST_SIZE];

	for (int i = 0; i < DIGEST_SIZE; i++)
	{
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 0x0f];
	}
	iotdata_buffer_append(out, hex, sizeof(hex));
}

static bool
append_sha256(IotDataBuffer *out, const void *bytes, size_t length)
{
	const Bytes text = {bytes, length};
	uint8_t		digest[DIGEST_SIZE];

	if (!sha256(digest, &text, 1))
		return false;
	append_hex(out, digest);
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void
iotdata_sigv4_timestamp(char timestamp[IOTDATA_TIMESTAMP_SIZE], time_t when)
{
	struct tm	utc;

	/* a clock that is this wrong gets a signature that AWS refuses */
	if (when < 0)
		when = 0;
	else if (when > LAST_SECOND)
		when = LAST_SECOND;
	timestamp[0] = '\0';
	if (gmtime_r(&when, &utc) != NULL)
		strftime(timestamp, IOTDATA_TIMESTAMP_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

/* Encode all of a path but its slashes. The empty path is "/". */
static void
append_path(IotDataBuffer *out, const char *path)
{
	if (path[0] == '\0')
		path = "/";
	for (;;)
	{
		size_t		length = strcspn(path, "/");

		iotdata_uri_encode(out, path, length);
		if (path[length] == '\0')
			break;
		iotdata_buffer_append(out, "/", 1);
		path += length + 1;
	}
}

static int
compare_bytes(const Bytes *a, const Bytes *b)
{
	size_t		shorter = (a->length < b->length) ? a->length : b->length;
	int			order = memcmp(a->data, b->data, shorter);

	if (order != 0)
		return order;
	return (a->length > b->length) - (a->length < b->length);
}

/*
 * By key, then by value. The two are compared apart: within "k=v" as a whole
 * the '=' would take part, and "a-b=1" would come before "a=1".
 */
static int
compare_pairs(const QueryPair *a, const QueryPair *b)
{
	int			order = compare_bytes(&a->key, &b->key);

	return (order != 0) ? order : compare_bytes(&a->value, &b->value);
}

static QueryPair
split_pair(const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t		key_length = (equals == NULL) ? length : (size_t) (equals - text);
	QueryPair	pair;

	pair.key.data = text;
	pair.key.length = key_length;
	pair.value.data = (equals == NULL) ? text + length : equals + 1;
	pair.value.length = (equals == NULL) ? 0 : length - key_length - 1;
	return pair;
}

/*
 * Split a query into its pairs, sorted. A pair without '=' has an empty value,
 * and nothing between two '&' is no pair. Returns how many, or -1 when there
 * are too many.
 */
static int
sort_query(QueryPair pairs[IOTDATA_SIGV4_MAX_QUERY], const char *query)
{
	int			npairs = 0;

	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&");

		if (length > 0)
		{
			QueryPair	pair = split_pair(query, length);
			int			place = npairs;

			if (npairs++ == IOTDATA_SIGV4_MAX_QUERY)
				return -1;
			for (; place > 0 && compare_pairs(&pairs[place - 1], &pair) > 0; place--)
				pairs[place] = pairs[place - 1];
			pairs[place] = pair;
		}
		query += length + (query[length] == '&');
	}
	return npairs;
}

static bool
append_query(IotDataBuffer *out, const char *query)
{
	QueryPair	pairs[IOTDATA_SIGV4_MAX_QUERY];
	int			npairs = sort_query(pairs, query);

	if (npairs < 0)
		return false;
	for (int i = 0; i < npairs; i++)
	{
		if (i > 0)
			iotdata_buffer_append(out, "&", 1);
		iotdata_buffer_append(out, pairs[i].key.data, pairs[i].key.length);
		iotdata_buffer_append(out, "=", 1);
		iotdata_buffer_append(out, pairs[i].value.data, pairs[i].value.length);
	}
	return true;
}

/* The request's headers by name. False when there are too many. */
static bool
sort_headers(const IotDataHeader *sorted[IOTDATA_SIGV4_MAX_HEADERS],
			 const IotDataSigv4Request *request)
{
	if (request->nheaders > IOTDATA_SIGV4_MAX_HEADERS)
		return false;
	for (int i = 0; i < request->nheaders; i++)
	{
		const IotDataHeader *header = &request->headers[i];
		int			place = i;

		for (; place > 0 && strcmp(sorted[place - 1]->name, header->name) > 0; place--)
			sorted[place] = sorted[place - 1];
		sorted[place] = header;
	}
	return true;
}

/* A header's value without blanks at its ends, and with one for several. */
static void
append_header_value(IotDataBuffer *out, const char *value)
{
	bool		first = true;

	for (;;)
	{
		size_t		length;

		while (is_blank(*value))
			value++;
		if (*value == '\0')
			break;
		length = strcspn(value, " \t");
		if (!first)
			iotdata_buffer_append(out, " ", 1);
		iotdata_buffer_append(out, value, length);
		value += length;
		first = false;
	}
}

static void
append_signed_headers(IotDataBuffer *out, const IotDataHeader *const *sorted,
					  int nheaders)
{
	for (int i = 0; i < nheaders; i++)
	{
		if (i > 0)
			iotdata_buffer_append(out, ";", 1);
		iotdata_buffer_append_string(out, sorted[i]->name);
	}
}

bool
iotdata_sigv4_canonical_request(IotDataBuffer *out,
								const IotDataSigv4Request *request)
{
	const IotDataHeader *sorted[IOTDATA_SIGV4_MAX_HEADERS];

	if (!sort_headers(sorted, request))
		return false;

	iotdata_buffer_append_string(out, request->method);
	iotdata_buffer_append(out, "\n", 1);
	append_path(out, request->path);
	iotdata_buffer_append(out, "\n", 1);
	if (!append_query(out, request->query))
		return false;
	iotdata_buffer_append(out, "\n", 1);
	for (int i = 0; i < request->nheaders; i++)
	{
		iotdata_buffer_append_string(out, sorted[i]->name);
		iotdata_buffer_append(out, ":", 1);
		append_header_value(out, sorted[i]->value);
		iotdata_buffer_append(out, "\n", 1);
	}
	iotdata_buffer_append(out, "\n", 1);
	append_signed_headers(out, sorted, request->nheaders);
	iotdata_buffer_append(out, "\n", 1);
	/* most requests have no body, and its hash is known */
	if (request->body_length == 0)
		iotdata_buffer_append_string(out, EMPTY_SHA256);
	else if (!append_sha256(out, request->body, request->body_length))
		return false;
	return !out->overflowed;
}

/* "20260601", what a timestamp begins with. */
static Bytes
day_of(const IotDataSigv4Scope *scope)
{
	Bytes		day = {scope->timestamp, strnlen(scope->timestamp, DAY_LENGTH)};

	return day;
}

/* "20260601/eu-west-1/iotdata/aws4_request" */
static void
append_scope(IotDataBuffer *out, const IotDataSigv4Scope *scope)
{
	Bytes		day = day_of(scope);

	iotdata_buffer_append(out, day.data, day.length);
	iotdata_buffer_append(out, "/", 1);
	iotdata_buffer_append_string(out, scope->region);
	iotdata_buffer_append(out, "/", 1);
	iotdata_buffer_append_string(out, scope->service);
	iotdata_buffer_append_string(out, "/" SCOPE_END);
}

bool
iotdata_sigv4_string_to_sign(IotDataBuffer *out,
							 const IotDataSigv4Scope *scope,
							 const IotDataBuffer *canonical_request)
{
	if (canonical_request->overflowed)
		return false;
	iotdata_buffer_append_string(out, ALGORITHM "\n");
	iotdata_buffer_append_string(out, scope->timestamp);
	iotdata_buffer_append(out, "\n", 1);
	append_scope(out, scope);
	iotdata_buffer_append(out, "\n", 1);
	return append_sha256(out, canonical_request->data,
						 canonical_request->length) &&
		!out->overflowed;
}

/* The first key, "AWS4" and the secret, as a block for HMAC. */
static bool
secret_block(uint8_t block[BLOCK_SIZE], const char *secret)
{
	const Bytes pieces[] = {
		{KEY_PREFIX, strlen(KEY_PREFIX)},
		{secret, strlen(secret)}
	};

	/* a key longer than a block is replaced by its hash */
	memset(block, 0, BLOCK_SIZE);
	if (pieces[0].length + pieces[1].length > BLOCK_SIZE)
		return sha256(block, pieces, 2);
	memcpy(block, pieces[0].data, pieces[0].length);
	memcpy(block + pieces[0].length, pieces[1].data, pieces[1].length);
	return true;
}

/* The key: day, region, service and "aws4_request", each under the last. */
static bool
derive_key(uint8_t key[DIGEST_SIZE], const IotDataSigv4Scope *scope,
		   const char *secret)
{
	const Bytes steps[] = {
		day_of(scope),
		{scope->region, strlen(scope->region)},
		{scope->service, strlen(scope->service)},
		{SCOPE_END, strlen(SCOPE_END)}
	};
	uint8_t		block[BLOCK_SIZE];
	bool		ok = secret_block(block, secret);

	for (size_t i = 0; ok && i < sizeof(steps) / sizeof(steps[0]); i++)
	{
		ok = hmac(key, block, steps[i].data, steps[i].length);
		memset(block, 0, BLOCK_SIZE);
		memcpy(block, key, DIGEST_SIZE);
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}

bool
iotdata_sigv4_signing_key(IotDataSigningKey *kept,
						  const IotDataSigv4Scope *scope,
						  const char *secret_access_key)
{
	uint8_t		fingerprint[DIGEST_SIZE];

	/* with the NULs that end them, so that no two lists of texts are alike */
	const Bytes made_from[] = {
		day_of(scope),
		{"", 1},
		{scope->region, strlen(scope->region) + 1},
		{scope->service, strlen(scope->service) + 1},
		{secret_access_key, strlen(secret_access_key) + 1}
	};

	if (!sha256(fingerprint, made_from, 5))
	{
		OPENSSL_cleanse(kept, sizeof(*kept));
		return false;
	}
	if (kept->valid &&
		memcmp(kept->fingerprint, fingerprint, DIGEST_SIZE) == 0)
		return true;

	OPENSSL_cleanse(kept, sizeof(*kept));
	if (!derive_key(kept->key, scope, secret_access_key))
	{
		OPENSSL_cleanse(kept, sizeof(*kept));
		return false;
	}
	memcpy(kept->fingerprint, fingerprint, DIGEST_SIZE);
	kept->valid = true;
	return true;
}

bool
iotdata_sigv4_signature(char signature[IOTDATA_SIGNATURE_SIZE],
						const IotDataSigningKey *key,
						const IotDataBuffer *string_to_sign)
{
	uint8_t		block[BLOCK_SIZE] = {0};
	uint8_t		digest[DIGEST_SIZE];
	IotDataBuffer out;
	bool		ok;

	iotdata_buffer_init(&out, signature, IOTDATA_SIGNATURE_SIZE);
	if (!key->valid || string_to_sign->overflowed)
		return false;
	memcpy(block, key->key, DIGEST_SIZE);
	ok = hmac(digest, block, string_to_sign->data, string_to_sign->length);
	OPENSSL_cleanse(block, sizeof(block));
	if (ok)
		append_hex(&out, digest);
	return ok;
}

bool
iotdata_sigv4_authorization(IotDataBuffer *out,
							const IotDataSigv4Request *request,
							const IotDataSigv4Scope *scope,
							const char *access_key_id, const char *signature)
{
	const IotDataHeader *sorted[IOTDATA_SIGV4_MAX_HEADERS];

	if (!sort_headers(sorted, request))
		return false;
	iotdata_buffer_append_string(out, ALGORITHM " Credential=");
	iotdata_buffer_append_string(out, access_key_id);
	iotdata_buffer_append(out, "/", 1);
	append_scope(out, scope);
	iotdata_buffer_append_string(out, ", SignedHeaders=");
	append_signed_headers(out, sorted, request->nheaders);
	iotdata_buffer_append_string(out, ", Signature=");
	iotdata_buffer_append_string(out, signature);
	return !out->overflowed;
}
