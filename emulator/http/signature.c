/*
 * signature.c
 *	  Checks the Signature Version 4 of a request as the service would.
 *
 * Written for the emulator alone, so that a misreading of the standard in the
 * extension's own signing code is found and not repeated.  The stages are in
 * signature_stages.c; here is the Authorization header, what must be signed,
 * and the clock.
 */
#include "http/signature.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SERVICE "iotdata"

static const char missing_token[] = "Missing Authentication Token";
static const char incomplete[] =
	"Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters, "
	"in their proper form.";
static const char bad_scope[] =
	"Credential should be scoped to a valid date, region, service 'iotdata' and 'aws4_request'.";
static const char bad_token[] = "The security token included in the request is invalid.";
static const char bad_date[] =
	"Authorization header requires existence of an 'X-Amz-Date' header in its proper form.";
static const char bad_body_hash[] =
	"The provided 'x-amz-content-sha256' header does not match what was computed.";
static const char unsigned_header[] =
	"There were headers present in the request which were not signed.";
static const char expired[] =
	"Signature expired: the time of the request differs too much from the service's.";
static const char mismatch[] =
	"The request signature we calculated does not match the signature you provided. "
	"Check your AWS Secret Access Key and signing method. Consult the service documentation "
	"for details.";

/* The Authorization header in its parts, which point into text. */
typedef struct Authorization
{
	char	   *text;
	const char *access_key_id;
	const char *scope;			/* DATE/REGION/SERVICE/aws4_request */
	const char *signed_headers;
	const char *signature;
} Authorization;

/* ------ headers ------ */

/* The value of a header that must not be there twice; NULL: none, or twice. */
static const char *
find_header(const SignatureRequest *request, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < request->header_count; i++)
	{
		if (strcasecmp(request->headers[i].name, name) != 0)
			continue;
		if (value != NULL)
			return NULL;
		value = request->headers[i].value;
	}
	return value;
}

static bool
is_listed(const char *signed_headers, const char *name)
{
	size_t		length = strlen(name);

	for (const char *at = signed_headers; at != NULL; at = strchr(at, ';'))
	{
		if (*at == ';')
			at++;
		if (strncasecmp(at, name, length) == 0 && (at[length] == ';' || at[length] == '\0'))
			return true;
	}
	return false;
}

static bool
must_be_signed(const char *name)
{
	return strcasecmp(name, "host") == 0 || strcasecmp(name, "x-amz-date") == 0 ||
		strcasecmp(name, "x-amz-security-token") == 0 ||
		strcasecmp(name, "x-amz-content-sha256") == 0 ||
		strncasecmp(name, "x-amz-mqtt5-", 12) == 0;
}

/* Each header that must be signed is, and each that is signed was sent. */
static bool
has_signed_headers(const SignatureRequest *request, const char *signed_headers)
{
	const char *at = signed_headers;

	if (!is_listed(signed_headers, "host") || !is_listed(signed_headers, "x-amz-date"))
		return false;
	for (size_t i = 0; i < request->header_count; i++)
	{
		const char *name = request->headers[i].name;

		if (must_be_signed(name) && !is_listed(signed_headers, name))
			return false;
	}
	for (;;)
	{
		size_t		length = strcspn(at, ";");
		bool		sent = false;

		for (size_t i = 0; i < request->header_count && !sent; i++)
			sent = strncasecmp(request->headers[i].name, at, length) == 0 &&
				request->headers[i].name[length] == '\0';
		if (!sent)
			return false;
		if (at[length] == '\0')
			return true;
		at += length + 1;
	}
}

/* ------ the Authorization header ------ */

/* Lower case, in order, none twice, none empty. */
static bool
is_header_list(const char *list)
{
	const char *previous = NULL;
	size_t		previous_length = 0;

	if (strspn(list, "abcdefghijklmnopqrstuvwxyz0123456789-_;") != strlen(list))
		return false;
	for (const char *at = list;; at++)
	{
		size_t		length = strcspn(at, ";");

		if (length == 0)
			return false;
		if (previous != NULL)
		{
			size_t		shorter = length < previous_length ? length : previous_length;
			int			order = memcmp(previous, at, shorter);

			if (order > 0 || (order == 0 && previous_length >= length))
				return false;
		}
		previous = at;
		previous_length = length;
		at += length;
		if (*at == '\0')
			return true;
	}
}

static bool
take_parameter(char *parameter, Authorization *authorization)
{
	static const char *const names[] = {"Credential=", "SignedHeaders=", "Signature="};
	const char **targets[] = {&authorization->access_key_id,
	&authorization->signed_headers, &authorization->signature};

	for (int i = 0; i < 3; i++)
	{
		size_t		length = strlen(names[i]);

		if (strncmp(parameter, names[i], length) != 0)
			continue;
		if (*targets[i] != NULL)
			return false;
		*targets[i] = parameter + length;
		return true;
	}
	return false;
}

/* False when it is not of the form; text must be freed in any case. */
static bool
parse_authorization(const char *header, Authorization *authorization)
{
	char	   *at,
			   *rest,
			   *slash;

	memset(authorization, 0, sizeof(*authorization));
	if (strncmp(header, ALGORITHM " ", strlen(ALGORITHM) + 1) != 0)
		return false;
	authorization->text = memory_copy_string(header + strlen(ALGORITHM) + 1);
	for (at = strtok_r(authorization->text, ", ", &rest); at != NULL;
		 at = strtok_r(NULL, ", ", &rest))
	{
		if (!take_parameter(at, authorization))
			return false;
	}
	if (authorization->access_key_id == NULL || authorization->signed_headers == NULL ||
		authorization->signature == NULL)
		return false;
	/* it lies in "text", which is ours to cut */
	slash = authorization->text + (authorization->access_key_id - authorization->text);
	slash = strchr(slash, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	authorization->scope = slash + 1;
	return is_header_list(authorization->signed_headers) &&
		strlen(authorization->signature) == 2 * SIGNATURE_HASH_SIZE &&
		strspn(authorization->signature, "0123456789abcdef") == 2 * SIGNATURE_HASH_SIZE;
}

/* ------ scope and clock ------ */

static bool
is_good_scope(const char *scope, const char *timestamp, const char *region)
{
	const char *region_start,
			   *region_end;
	size_t		region_length;

	if (strncmp(scope, timestamp, 8) != 0 || scope[8] != '/')
		return false;
	region_start = scope + 9;
	region_end = strchr(region_start, '/');
	if (region_end == NULL || region_end == region_start)
		return false;
	region_length = (size_t) (region_end - region_start);
	if (region != NULL &&
		(strlen(region) != region_length || memcmp(region, region_start, region_length) != 0))
		return false;
	return strcmp(region_end, "/" SERVICE "/aws4_request") == 0;
}

/* YYYYMMDDTHHMMSSZ; false when it is something else. */
static bool
parse_timestamp(const char *text, time_t *result)
{
	struct tm	time = {0};
	const char *end = strptime(text, "%Y%m%dT%H%M%SZ", &time);

	if (strlen(text) != 16 || end == NULL || *end != '\0')
		return false;
	*result = timegm(&time);
	return true;
}

/* ------ the check ------ */

static bool
is_good_signature(const SignatureKeys *keys, const SignatureRequest *request,
				  const Authorization *authorization, const char *timestamp)
{
	Buffer		canonical_request = {0},
				string_to_sign = {0},
				expected = {0};
	uint8_t		signature[SIGNATURE_HASH_SIZE];
	bool		good;

	signature_canonical_request(request, authorization->signed_headers, &canonical_request);
	signature_string_to_sign(timestamp, authorization->scope, &canonical_request,
							 &string_to_sign);
	signature_compute(keys->secret_access_key, authorization->scope, &string_to_sign, signature);
	signature_append_hex(&expected, signature, SIGNATURE_HASH_SIZE);
	good = CRYPTO_memcmp(expected.data, authorization->signature, expected.length) == 0;
	buffer_free(&canonical_request);
	buffer_free(&string_to_sign);
	buffer_free(&expected);
	return good;
}

static bool
is_good_body_hash(const SignatureRequest *request)
{
	const char *header = find_header(request, "x-amz-content-sha256");
	Buffer		expected = {0};
	bool		good;

	if (header == NULL)
		return true;
	signature_append_hex(&expected, request->body_hash, SIGNATURE_HASH_SIZE);
	good = strcmp(header, buffer_text(&expected)) == 0;
	buffer_free(&expected);
	return good;
}

static bool
is_good_token(const SignatureKeys *keys, const SignatureRequest *request)
{
	const char *header = find_header(request, "x-amz-security-token");

	if (keys->session_token == NULL || header == NULL)
		return keys->session_token == header;
	return strlen(header) == strlen(keys->session_token) &&
		CRYPTO_memcmp(header, keys->session_token, strlen(header)) == 0;
}

static const char *
check_parsed(const SignatureKeys *keys, const SignatureRequest *request,
			 const Authorization *authorization, time_t now)
{
	const char *timestamp = find_header(request, "x-amz-date");
	time_t		signed_at;

	if (timestamp == NULL || !parse_timestamp(timestamp, &signed_at))
		return bad_date;
	if (!is_good_scope(authorization->scope, timestamp, keys->region))
		return bad_scope;
	if (strcmp(authorization->access_key_id, keys->access_key_id) != 0 ||
		!is_good_token(keys, request))
		return bad_token;
	if (!has_signed_headers(request, authorization->signed_headers))
		return unsigned_header;
	if (signed_at > now + SIGNATURE_MAX_SKEW || signed_at < now - SIGNATURE_MAX_SKEW)
		return expired;
	if (!is_good_body_hash(request))
		return bad_body_hash;
	return is_good_signature(keys, request, authorization, timestamp) ? NULL : mismatch;
}

const char *
signature_check(const SignatureKeys *keys, const SignatureRequest *request, time_t now)
{
	const char *header = find_header(request, "authorization");
	Authorization authorization;
	const char *message;

	if (header == NULL)
		return missing_token;
	if (parse_authorization(header, &authorization))
		message = check_parsed(keys, request, &authorization, now);
	else
		message = incomplete;
	free(authorization.text);
	return message;
}
