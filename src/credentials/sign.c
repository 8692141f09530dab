/*
 * sign.c
 *		Signing requests. Each attempt to send one is signed anew.
 */
#include "postgres.h"

#include "credentials/sign.h"

/* the fixed parts of the texts below, generously */
#define FIXED_SIZE 1024

/* The key of the last signature: it changes once a day, or with the target. */
static IotDataSigningKey signing_key;

static void
add_header(IotDataSignedRequest *out, const char *name, const char *value)
{
	Assert(out->nheaders < IOTDATA_SIGNED_MAX_HEADERS);
	out->headers[out->nheaders++] = (IotDataHeader) {name, value};
}

/* A buffer in the current memory context. */
static void
init_buffer(IotDataBuffer *buffer, size_t size)
{
	iotdata_buffer_init(buffer, palloc(size), size);
}

/* Room for the canonical request: the path grows threefold in it at the most. */
static size_t
canonical_size(const IotDataSigv4Request *request)
{
	size_t		size = FIXED_SIZE + strlen(request->path) * 3 +
		strlen(request->query);

	for (int i = 0; i < request->nheaders; i++)
		size += strlen(request->headers[i].name) * 2 +
			strlen(request->headers[i].value) + 4;
	return size;
}

bool
iotdata_sign(IotDataSignedRequest *out, const IotDataSignRequest *request,
			 const IotDataCredentialsValues *keys, time_t when)
{
	IotDataSigv4Request canonical = {
		.method = request->method,
		.path = request->path,
		.query = request->query,
		.headers = out->headers,
		.body = request->body,
		.body_length = request->body_length,
	};
	IotDataSigv4Scope scope = {out->timestamp, request->region, request->service};
	IotDataBuffer text;
	IotDataBuffer to_sign;
	IotDataBuffer authorization;
	bool		ok;

	iotdata_sigv4_timestamp(out->timestamp, when);
	out->nheaders = 0;
	add_header(out, "host", request->authority);
	add_header(out, "x-amz-date", out->timestamp);
	if (keys->session_token != NULL)
		add_header(out, "x-amz-security-token", keys->session_token);
	for (int i = 0; i < request->nheaders; i++)
		add_header(out, request->headers[i].name, request->headers[i].value);
	canonical.nheaders = out->nheaders;

	init_buffer(&text, canonical_size(&canonical));
	init_buffer(&to_sign, FIXED_SIZE);
	init_buffer(&authorization, FIXED_SIZE + strlen(keys->access_key_id));
	ok = iotdata_sigv4_canonical_request(&text, &canonical) &&
		iotdata_sigv4_string_to_sign(&to_sign, &scope, &text) &&
		iotdata_sigv4_signing_key(&signing_key, &scope, keys->secret_access_key) &&
		iotdata_sigv4_signature(out->signature, &signing_key, &to_sign) &&
		iotdata_sigv4_authorization(&authorization, &canonical, &scope,
									keys->access_key_id, out->signature);
	explicit_bzero(text.data, text.length); /* the token is in it */
	if (ok)
		add_header(out, "authorization", authorization.data);
	return ok;
}
