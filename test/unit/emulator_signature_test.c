/*
 * emulator_signature_test.c
 *		The emulator's own check of signatures, against requests as AWS's client
 *		signs them.
 *
 * Built by emulator/Makefile, because it is of the emulator's code.
 */
#include <json-c/json.h>
#include <openssl/sha.h>

#include "base/text.h"
#include "http/signature.h"
#include "unit.h"

#define MAX_HEADERS 16

static json_object *vectors;

/* A vector as the emulator would have received it. */
typedef struct Received
{
	SignatureKeys keys;
	SignatureRequest request;
	SignatureHeader headers[MAX_HEADERS];
	Buffer		body;
	char		host[256];
	char		target[4096];
	time_t		now;
} Received;

static const char *
text_of(json_object *vector, const char *name)
{
	return json_object_get_string(json_object_object_get(vector, name));
}

static void
add_header(Received *received, const char *name, const char *value)
{
	SignatureHeader *header = &received->headers[received->request.header_count++];

	assert_true(received->request.header_count <= MAX_HEADERS);
	header->name = name;
	header->value = value;
}

static void
receive(json_object *vector, Received *received)
{
	const char *url = text_of(vector, "url") + strlen("https://");
	const char *path = strchr(url, '/');
	struct tm	time = {0};

	memset(received, 0, sizeof(*received));
	snprintf(received->host, sizeof(received->host), "%.*s", (int) (path - url), url);
	snprintf(received->target, sizeof(received->target), "%s", path);
	add_header(received, "Host", received->host);
	json_object_object_foreach(json_object_object_get(vector, "headers"), name, value)
		add_header(received, name, json_object_get_string(value));
	received->request.method = text_of(vector, "method");
	received->request.target = received->target;
	received->request.headers = received->headers;
	assert_true(text_base64_decode(text_of(vector, "body_base64"), &received->body));
	SHA256(received->body.data, received->body.length, received->request.body_hash);
	received->keys.access_key_id = text_of(vector, "access_key_id");
	received->keys.secret_access_key = text_of(vector, "secret_access_key");
	received->keys.session_token = text_of(vector, "session_token");
	received->keys.region = text_of(vector, "region");
	assert_non_null(strptime(text_of(vector, "timestamp"), "%Y%m%dT%H%M%SZ", &time));
	received->now = timegm(&time);
}

static void
receive_again(json_object *vector, Received *received)
{
	buffer_free(&received->body);
	receive(vector, received);
}

static void
replace_header(Received *received, const char *name, const char *value)
{
	for (size_t i = 0; i < received->request.header_count; i++)
		if (strcasecmp(received->headers[i].name, name) == 0)
			received->headers[i].value = value;
}

static const char *
check(const Received *received)
{
	return signature_check(&received->keys, &received->request, received->now);
}

static void
for_each_vector(void (*test) (json_object *vector, Received *received))
{
	size_t		count = json_object_array_length(vectors);

	assert_true(count >= 57);
	for (size_t i = 0; i < count; i++)
	{
		json_object *vector = json_object_array_get_idx(vectors, i);
		Received	received;

		receive(vector, &received);
		test(vector, &received);
		buffer_free(&received.body);
	}
}

static void
compare_stages(json_object *vector, Received *received)
{
	const char *authorization = text_of(json_object_object_get(vector, "headers"),
										"authorization");
	const char *start = strstr(authorization, "SignedHeaders=") + strlen("SignedHeaders=");
	char	   *list = memory_copy_text(start, strcspn(start, ","));
	const char *scope_start = strchr(authorization, '/') + 1;
	char	   *scope = memory_copy_text(scope_start, strcspn(scope_start, ","));
	Buffer		canonical = {0},
				to_sign = {0},
				hex = {0};
	uint8_t		signature[SIGNATURE_HASH_SIZE];

	signature_canonical_request(&received->request, list, &canonical);
	assert_string_equal(buffer_text(&canonical), text_of(vector, "canonical_request"));
	signature_string_to_sign(text_of(vector, "timestamp"), scope, &canonical, &to_sign);
	assert_string_equal(buffer_text(&to_sign), text_of(vector, "string_to_sign"));
	signature_compute(received->keys.secret_access_key, scope, &to_sign, signature);
	signature_append_hex(&hex, signature, sizeof(signature));
	assert_string_equal(buffer_text(&hex), text_of(vector, "signature"));
	buffer_free(&canonical);
	buffer_free(&to_sign);
	buffer_free(&hex);
	free(list);
	free(scope);
}

static void
every_stage_is_as_the_aws_client_has_it(void **state)
{
	(void) state;
	for_each_vector(compare_stages);
}

static void
accept_as_sent(json_object *vector, Received *received)
{
	(void) vector;
	assert_null(check(received));
}

static void
requests_of_the_aws_client_are_accepted(void **state)
{
	(void) state;
	for_each_vector(accept_as_sent);
}

static void
refuse_changed(json_object *vector, Received *received)
{
	time_t		now = received->now;
	size_t		end = strcspn(received->target, "?");

	(void) vector;
	received->keys.secret_access_key = "another";
	assert_non_null(check(received));
	receive_again(vector, received);
	received->keys.access_key_id = "another";
	assert_non_null(check(received));
	receive_again(vector, received);
	received->keys.region = "xx-north-9";
	assert_non_null(check(received));
	receive_again(vector, received);
	received->target[end - 1] ^= 1;
	assert_non_null(check(received));
	receive_again(vector, received);
	received->request.body_hash[31] ^= 1;
	assert_non_null(check(received));
	receive_again(vector, received);
	received->request.method = "PUT";
	assert_non_null(check(received));
	receive_again(vector, received);
	received->now = now + SIGNATURE_MAX_SKEW;
	assert_null(check(received));
	received->now = now + SIGNATURE_MAX_SKEW + 1;
	assert_non_null(check(received));
	received->now = now - SIGNATURE_MAX_SKEW - 1;
	assert_non_null(check(received));
	receive_again(vector, received);
	replace_header(received, "x-amz-date", "20260601T120001Z");
	assert_non_null(check(received));
	receive_again(vector, received);
	add_header(received, "X-Amz-Mqtt5-Anything", "unsigned");
	assert_non_null(check(received));
	receive_again(vector, received);
	received->keys.session_token = received->keys.session_token == NULL ? "token" : NULL;
	assert_non_null(check(received));
}

static void
requests_that_were_changed_are_refused(void **state)
{
	(void) state;
	for_each_vector(refuse_changed);
}

static void
broken_authorization_headers_are_refused(void **state)
{
	static const char *const broken[] = {
		"", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "Bearer x",
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260601/eu-west-1/iotdata/aws4_request",
		"AWS4-HMAC-SHA256 Credential=/, SignedHeaders=, Signature=",
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, SignedHeaders=host;x-amz-date, Signature=00",
		"AWS4-HMAC-SHA256 Credential=a, Credential=b, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 ,,,,====, Signature",
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260601//iotdata/aws4_request, "
		"SignedHeaders=host;x-amz-date, Signature="
		"568f9739a86bab0d7f2bddc0e9c90e9fa9ebda13e5546463f3f8a366a6dfe2af"
	};
	Received	received;

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(broken); i++)
	{
		char	   *header = exact_copy(broken[i], strlen(broken[i]) + 1);

		receive(json_object_array_get_idx(vectors, 0), &received);
		replace_header(&received, "authorization", header);
		assert_non_null(check(&received));
		buffer_free(&received.body);
		free(header);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stage_is_as_the_aws_client_has_it),
		cmocka_unit_test(requests_of_the_aws_client_are_accepted),
		cmocka_unit_test(requests_that_were_changed_are_refused),
		cmocka_unit_test(broken_authorization_headers_are_refused),
	};
	int			failed;

	vectors = json_object_from_file(VECTORS);
	if (vectors == NULL)
	{
		fprintf(stderr, "cannot read %s\n", VECTORS);
		return 1;
	}
	failed = cmocka_run_group_tests_name("emulator signature", tests, NULL, NULL);
	json_object_put(vectors);
	return failed;
}
