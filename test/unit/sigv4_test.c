/*
 * sigv4_test.c
 *		AWS Signature Version 4, stage by stage, over OpenSSL.
 */
#include "vectors.h"

#include <openssl/evp.h>

#include "aws/sigv4.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define EMPTY_HASH \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const IotDataSigv4Scope scope = {
	"20260601T120000Z", "eu-west-1", "iotdata"
};

/* Lets OpenSSL work this many times more, then fail; -1: for ever. */
static int	openssl_works = -1;

extern int	__real_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *method, const OSSL_PARAM *params);
extern int	__wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *method, const OSSL_PARAM *params);

int
__wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *method, const OSSL_PARAM *params)
{
	if (openssl_works == 0)
		return 0;
	if (openssl_works > 0)
		openssl_works--;
	return __real_EVP_DigestInit_ex2(context, method, params);
}

/* A request taken out of a vector, and the storage that it points to. */
typedef struct VectorRequest
{
	IotDataSigv4Request request;
	IotDataSigv4Scope scope;
	IotDataHeader headers[IOTDATA_SIGV4_MAX_HEADERS];
	char		host[256];
	char		path[2048];
	unsigned char body[4096];
} VectorRequest;

static void
take_url(VectorRequest *taken, const char *url)
{
	const char *host = url + strlen("https://");
	const char *path = strchr(host, '/');
	const char *query = strchr(url, '?');

	snprintf(taken->host, sizeof(taken->host), "%.*s", (int) (path - host),
			 host);
	snprintf(taken->path, sizeof(taken->path), "%.*s",
			 (int) strcspn(path, "?"), path);
	taken->request.path = taken->path;
	taken->request.query = (query == NULL) ? "" : query + 1;
}

/* Host and everything that begins with "x-amz-". */
static void
take_headers(VectorRequest *taken, struct json_object *headers)
{
	int			n = 1;

	json_object_object_foreach(headers, name, value)
	{
		if (strncmp(name, "x-amz-", 6) != 0)
			continue;
		taken->headers[n].name = name;
		taken->headers[n++].value = json_object_get_string(value);
	}
	taken->headers[0].name = "host";
	taken->headers[0].value = taken->host;
	taken->request.headers = taken->headers;
	taken->request.nheaders = n;
}

static void
take_body(VectorRequest *taken, const char *base64)
{
	size_t		length = strlen(base64);
	size_t		padding = strspn(base64 + strcspn(base64, "="), "=");

	assert_true(length / 4 * 3 <= sizeof(taken->body));
	if (length > 0)
		assert_int_equal(EVP_DecodeBlock(taken->body,
										 (const unsigned char *) base64,
										 (int) length), length / 4 * 3);
	taken->request.body = (length == 0) ? NULL : taken->body;
	taken->request.body_length = length / 4 * 3 - padding;
}

static void
take_vector(VectorRequest *taken, struct json_object *vector)
{
	memset(taken, 0, sizeof(*taken));
	taken->request.method = text_of(vector, "method");
	take_url(taken, text_of(vector, "url"));
	take_headers(taken, json_object_object_get(vector, "headers"));
	take_body(taken, text_of(vector, "body_base64"));
	taken->scope.timestamp = text_of(vector, "timestamp");
	taken->scope.region = text_of(vector, "region");
	taken->scope.service = "iotdata";
}

static void
check_vector(const VectorRequest *taken, struct json_object *vector,
			 IotDataSigningKey *key)
{
	struct json_object *headers = json_object_object_get(vector, "headers");
	char		storage[3][16384];
	char		signature[IOTDATA_SIGNATURE_SIZE];
	IotDataBuffer canonical;
	IotDataBuffer to_sign;
	IotDataBuffer authorization;

	iotdata_buffer_init(&canonical, storage[0], sizeof(storage[0]));
	iotdata_buffer_init(&to_sign, storage[1], sizeof(storage[1]));
	iotdata_buffer_init(&authorization, storage[2], sizeof(storage[2]));

	assert_true(iotdata_sigv4_canonical_request(&canonical, &taken->request));
	assert_string_equal(storage[0], text_of(vector, "canonical_request"));
	assert_true(iotdata_sigv4_string_to_sign(&to_sign, &taken->scope,
											 &canonical));
	assert_string_equal(storage[1], text_of(vector, "string_to_sign"));
	assert_true(iotdata_sigv4_signing_key(key, &taken->scope,
										  text_of(vector, "secret_access_key")));
	assert_true(iotdata_sigv4_signature(signature, key, &to_sign));
	assert_string_equal(signature, text_of(vector, "signature"));
	assert_true(iotdata_sigv4_authorization(&authorization, &taken->request,
											&taken->scope,
											text_of(vector, "access_key_id"),
											signature));
	assert_string_equal(storage[2], text_of(headers, "authorization"));
}

static void
requests_are_signed_as_aws_clients_sign_them(void **state)
{
	IotDataSigningKey kept = {0};

	(void) state;
	for (size_t i = 0; i < VECTOR_COUNT; i++)
	{
		struct json_object *vector = json_object_array_get_idx(vectors, i);
		IotDataSigningKey fresh = {0};
		VectorRequest taken;

		take_vector(&taken, vector);
		check_vector(&taken, vector, &fresh);
		check_vector(&taken, vector, &kept);
		assert_memory_equal(kept.key, fresh.key, sizeof(fresh.key));
	}
}

static void
the_order_of_headers_does_not_matter(void **state)
{
	(void) state;
	for (size_t i = 0; i < VECTOR_COUNT; i++)
	{
		struct json_object *vector = json_object_array_get_idx(vectors, i);
		IotDataSigningKey key = {0};
		VectorRequest taken;
		int			n;

		take_vector(&taken, vector);
		n = taken.request.nheaders;
		for (int turn = 0; turn < n; turn++)
		{
			IotDataHeader first = taken.headers[0];

			memmove(taken.headers, taken.headers + 1,
					(size_t) (n - 1) * sizeof(first));
			taken.headers[n - 1] = first;
			check_vector(&taken, vector, &key);
		}
	}
}

static void
timestamps_are_utc(void **state)
{
	static const struct
	{
		int64_t		when;
		const char *timestamp;
	}			times[] = {
		{INT64_C(0), "19700101T000000Z"},
		{INT64_C(1), "19700101T000001Z"},
		{INT64_C(1780315200), "20260601T120000Z"},
		{INT64_C(1709164799), "20240228T235959Z"},
		{INT64_C(1709164800), "20240229T000000Z"},
		{INT64_C(2147483648), "20380119T031408Z"},
		{INT64_C(4107542400), "21000301T000000Z"},
		{INT64_C(253402300799), "99991231T235959Z"},
		{INT64_C(253402300800), "99991231T235959Z"},
		{INT64_C(-1), "19700101T000000Z"},
		{INT64_MAX, "99991231T235959Z"},
		{INT64_MIN, "19700101T000000Z"},
	};

	(void) state;
	setenv("TZ", "NZST-12NZDT", 1);
	tzset();
	for (size_t i = 0; i < LENGTH_OF(times); i++)
	{
		char		timestamp[IOTDATA_TIMESTAMP_SIZE];

		iotdata_sigv4_timestamp(timestamp, (time_t) times[i].when);
		assert_string_equal(timestamp, times[i].timestamp);
	}
}

/* The canonical request of a GET with one header and no body. */
static void
assert_canonical(const char *path, const char *query, const char *header,
				 const char *expected)
{
	const IotDataHeader headers[] = {{"host", header}};
	const IotDataSigv4Request request = {"GET", path, query, headers, 1, NULL, 0};
	char		storage[4096];
	IotDataBuffer out;

	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_true(iotdata_sigv4_canonical_request(&out, &request));
	assert_string_equal(storage, expected);
}

static void
paths_are_encoded_once_more(void **state)
{
	static const char *const paths[][2] = {
		{"/", "/"},
		{"", "/"},
		{"/a", "/a"},
		{"/a/", "/a/"},
		{"//a//", "//a//"},
		{"/connections/a%2Fb", "/connections/a%252Fb"},
		{"/a%20b/~x-y_z.0", "/a%2520b/~x-y_z.0"},
		{"/things/$x:y/shadow", "/things/%24x%3Ay/shadow"},
		{"/a/../b/./c", "/a/../b/./c"},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(paths); i++)
	{
		char		expected[512];

		snprintf(expected, sizeof(expected), "GET\n%s\n\nhost:h\n\nhost\n%s",
				 paths[i][1], EMPTY_HASH);
		assert_canonical(paths[i][0], "", "h", expected);
	}
}

static void
queries_are_sorted_by_key_then_value(void **state)
{
	static const char *const queries[][2] = {
		{"", ""},
		{"a=1", "a=1"},
		{"b=2&a=1", "a=1&b=2"},
		{"a=2&a=1", "a=1&a=2"},
		{"a=10&a=1", "a=1&a=10"},
		/* a key that another begins with: '-', '.' and '%' are below '=' */
		{"a-b=1&a=1", "a=1&a-b=1"},
		{"a.b=1&a=1", "a=1&a.b=1"},
		{"a%20=1&a=9", "a=9&a%20=1"},
		{"a1=0&a=1", "a=1&a1=0"},
		{"ab=1&a=2&abc=0&a=1", "a=1&a=2&ab=1&abc=0"},
		{"Z=1&a=1&A=1", "A=1&Z=1&a=1"},
		{"topic=x&timeout=1", "timeout=1&topic=x"},
		{"a", "a="},
		{"b&a", "a=&b="},
		{"a=&a", "a=&a="},
		{"a=b=c&a=b", "a=b&a=b=c"},
		{"=x&a=1", "=x&a=1"},
		{"a=1&&b=2&", "a=1&b=2"},
		{"&", ""},
		{"p=%2F&o=%E2%82%AC", "o=%E2%82%AC&p=%2F"},
		{"p=16&o=15&n=14&m=13&l=12&k=11&j=10&i=9&h=8&g=7&f=6&e=5&d=4&c=3&b=2&a=1",
		"a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=10&k=11&l=12&m=13&n=14&o=15&p=16"},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(queries); i++)
	{
		char		expected[512];

		snprintf(expected, sizeof(expected), "GET\n/\n%s\nhost:h\n\nhost\n%s",
				 queries[i][1], EMPTY_HASH);
		assert_canonical("/", queries[i][0], "h", expected);
	}
}

static void
header_values_are_trimmed_and_folded(void **state)
{
	static const char *const values[][2] = {
		{"h", "h"},
		{" h", "h"},
		{"h ", "h"},
		{" \t h \t ", "h"},
		{"a b", "a b"},
		{"a  b", "a b"},
		{"a \t b\tc", "a b c"},
		{"\"a   b\"", "\"a b\""},
		{"", ""},
		{"   ", ""},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(values); i++)
	{
		char		expected[512];

		snprintf(expected, sizeof(expected), "GET\n/\n\nhost:%s\n\nhost\n%s",
				 values[i][1], EMPTY_HASH);
		assert_canonical("/", "", values[i][0], expected);
	}
}

static void
a_request_without_headers_has_an_empty_list(void **state)
{
	const IotDataSigv4Request request = {"GET", "/", "", NULL, 0, NULL, 0};
	char		storage[256];
	IotDataBuffer out;

	(void) state;
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_true(iotdata_sigv4_canonical_request(&out, &request));
	assert_string_equal(storage, "GET\n/\n\n\n\n" EMPTY_HASH);
}

static void
headers_sort_by_their_whole_names(void **state)
{
	const IotDataHeader headers[] = {
		{"x-amz-date", "2"}, {"x-amz", "1"}, {"x-amz-content", "3"}, {"a", "0"}
	};
	const IotDataSigv4Request request = {"GET", "/", "", headers, 4, NULL, 0};
	char		storage[512];
	IotDataBuffer out;

	(void) state;
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_true(iotdata_sigv4_canonical_request(&out, &request));
	assert_string_equal(storage, "GET\n/\n\na:0\nx-amz:1\nx-amz-content:3\n"
						"x-amz-date:2\n\na;x-amz;x-amz-content;x-amz-date\n"
						EMPTY_HASH);
}

static void
too_many_pairs_or_headers_are_refused(void **state)
{
	IotDataHeader headers[IOTDATA_SIGV4_MAX_HEADERS + 1];
	IotDataSigv4Request request = {
		"GET", "/", "", headers, IOTDATA_SIGV4_MAX_HEADERS, NULL, 0
	};
	char		query[3 * IOTDATA_SIGV4_MAX_QUERY + 3] = "";
	char		storage[4096];
	IotDataBuffer out;

	(void) state;
	for (int i = 0; i <= IOTDATA_SIGV4_MAX_HEADERS; i++)
	{
		headers[i].name = "a";
		headers[i].value = "b";
	}
	for (int i = 0; i < IOTDATA_SIGV4_MAX_QUERY; i++)
		strcat(query, i == 0 ? "a" : "&a");

	request.query = query;
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_true(iotdata_sigv4_canonical_request(&out, &request));
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_true(iotdata_sigv4_authorization(&out, &request, &scope, "A", "s"));

	request.nheaders++;
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_false(iotdata_sigv4_canonical_request(&out, &request));
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_false(iotdata_sigv4_authorization(&out, &request, &scope, "A", "s"));

	request.nheaders--;
	strcat(query, "&a");
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_false(iotdata_sigv4_canonical_request(&out, &request));
}

static void
every_output_overflows_at_every_length(void **state)
{
	struct json_object *vector = json_object_array_get_idx(vectors, 2);
	const char *canonical_text = text_of(vector, "canonical_request");
	const char *to_sign_text = text_of(vector, "string_to_sign");
	const char *authorization_text;
	char		whole_storage[4096];
	IotDataBuffer whole;
	VectorRequest taken;

	(void) state;
	authorization_text = text_of(json_object_object_get(vector, "headers"),
								 "authorization");
	take_vector(&taken, vector);
	iotdata_buffer_init(&whole, whole_storage, sizeof(whole_storage));
	iotdata_buffer_append_string(&whole, canonical_text);
	for (size_t size = 1; size <= strlen(canonical_text) + 1; size++)
	{
		char	   *storage = malloc(size);
		IotDataBuffer out;

		iotdata_buffer_init(&out, storage, size);
		assert_int_equal(iotdata_sigv4_canonical_request(&out, &taken.request),
						 size > strlen(canonical_text));

		iotdata_buffer_init(&out, storage, size);
		assert_int_equal(iotdata_sigv4_string_to_sign(&out, &taken.scope,
													  &whole),
						 size > strlen(to_sign_text));

		iotdata_buffer_init(&out, storage, size);
		assert_int_equal(iotdata_sigv4_authorization(&out, &taken.request,
													 &taken.scope,
													 text_of(vector, "access_key_id"),
													 text_of(vector, "signature")),
						 size > strlen(authorization_text));
		free(storage);
	}
	assert_true(strlen(canonical_text) > strlen(authorization_text));
}

static void
a_request_that_overflowed_is_not_signed(void **state)
{
	IotDataSigningKey key = {0};
	char		signature[IOTDATA_SIGNATURE_SIZE];
	char		small[4];
	char		storage[512];
	IotDataBuffer overflowed;
	IotDataBuffer out;

	(void) state;
	iotdata_buffer_init(&overflowed, small, sizeof(small));
	iotdata_buffer_append_string(&overflowed, "too long");
	iotdata_buffer_init(&out, storage, sizeof(storage));
	assert_false(iotdata_sigv4_string_to_sign(&out, &scope, &overflowed));
	assert_true(iotdata_sigv4_signing_key(&key, &scope, SECRET));
	assert_false(iotdata_sigv4_signature(signature, &key, &overflowed));
	assert_string_equal(signature, "");
}

static void
an_invalid_key_signs_nothing(void **state)
{
	IotDataSigningKey key = {0};
	char		signature[IOTDATA_SIGNATURE_SIZE];
	char		storage[8];
	IotDataBuffer to_sign;

	(void) state;
	iotdata_buffer_init(&to_sign, storage, sizeof(storage));
	assert_false(iotdata_sigv4_signature(signature, &key, &to_sign));
	assert_string_equal(signature, "");
}

static void
the_key_is_kept_for_the_same_day_region_service_and_secret(void **state)
{
	IotDataSigv4Scope later = scope;
	IotDataSigningKey key = {0};

	(void) state;
	assert_true(iotdata_sigv4_signing_key(&key, &scope, SECRET));
	assert_true(key.valid);

	/* a mark on the key shows that it has not been made again */
	memset(key.key, 'k', sizeof(key.key));
	later.timestamp = "20260601T235959Z";
	assert_true(iotdata_sigv4_signing_key(&key, &later, SECRET));
	for (size_t i = 0; i < sizeof(key.key); i++)
		assert_int_equal(key.key[i], 'k');
}

static void
the_key_changes_with_each_of_what_it_is_made_from(void **state)
{
	static const struct
	{
		IotDataSigv4Scope scope;
		const char *secret;
	}			others[] = {
		{{"20260602T120000Z", "eu-west-1", "iotdata"}, SECRET},
		{{"20260601T120000Z", "eu-west-2", "iotdata"}, SECRET},
		{{"20260601T120000Z", "eu-west-1", "iot"}, SECRET},
		{{"20260601T120000Z", "eu-west-1", "iotdata"}, SECRET "x"},
		/* the same letters in all, cut elsewhere */
		{{"20260601T120000Z", "eu-west-1i", "otdata"}, SECRET},
		{{"20260601T120000Z", "eu-west-", "1iotdata"}, SECRET},
		{{"20260601T120000Z", "eu-west-1", "iotdataw"}, SECRET},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(others); i++)
	{
		IotDataSigningKey first = {0};
		IotDataSigningKey fresh = {0};
		IotDataSigningKey changed;

		assert_true(iotdata_sigv4_signing_key(&first, &scope, SECRET));
		assert_true(iotdata_sigv4_signing_key(&fresh, &others[i].scope,
											  others[i].secret));
		changed = first;
		assert_true(iotdata_sigv4_signing_key(&changed, &others[i].scope,
											  others[i].secret));
		assert_memory_not_equal(changed.key, first.key, sizeof(first.key));
		assert_memory_not_equal(changed.fingerprint, first.fingerprint,
								sizeof(first.fingerprint));
		assert_memory_equal(changed.key, fresh.key, sizeof(fresh.key));
	}
}

/* HMAC by OpenSSL itself, for comparison. */
static void
reference_hmac(unsigned char *key, size_t *key_length, const char *text)
{
	unsigned char out[32];
	size_t		length;

	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key,
							  *key_length, (const unsigned char *) text,
							  strlen(text), out, sizeof(out), &length));
	memcpy(key, out, length);
	*key_length = length;
}

static void
keys_of_every_length_are_hmac_keys(void **state)
{
	char		secret[200] = "";

	(void) state;
	for (size_t length = 0; length < sizeof(secret) - 1; length++)
	{
		IotDataSigningKey key = {0};
		unsigned char expected[256];
		size_t		expected_length = length + 4;

		memcpy(expected, "AWS4", 4);
		memcpy(expected + 4, secret, length);
		reference_hmac(expected, &expected_length, "20260601");
		reference_hmac(expected, &expected_length, "eu-west-1");
		reference_hmac(expected, &expected_length, "iotdata");
		reference_hmac(expected, &expected_length, "aws4_request");
		assert_true(iotdata_sigv4_signing_key(&key, &scope, secret));
		assert_memory_equal(key.key, expected, sizeof(key.key));
		secret[length] = (char) ('a' + length % 26);
		secret[length + 1] = '\0';
	}
}

static void
a_short_timestamp_is_not_read_beyond(void **state)
{
	char	   *timestamp = exact_copy("2026", 5);
	const IotDataSigv4Scope brief = {timestamp, "r", "s"};
	IotDataSigningKey key = {0};
	char		storage[128];
	IotDataBuffer canonical;
	IotDataBuffer out;

	(void) state;
	iotdata_buffer_init(&canonical, storage, 1);
	iotdata_buffer_init(&out, storage + 1, sizeof(storage) - 1);
	assert_true(iotdata_sigv4_signing_key(&key, &brief, SECRET));
	assert_true(iotdata_sigv4_string_to_sign(&out, &brief, &canonical));
	assert_string_equal(out.data, "AWS4-HMAC-SHA256\n2026\n"
						"2026/r/s/aws4_request\n" EMPTY_HASH);
	free(timestamp);
}

static void
a_failure_of_openssl_is_reported_by_every_stage(void **state)
{
	const IotDataSigv4Request request = {"POST", "/", "", NULL, 0, "body", 4};
	IotDataSigningKey key = {0};
	char		signature[IOTDATA_SIGNATURE_SIZE];
	char		storage[512];
	IotDataBuffer whole;
	IotDataBuffer out;

	(void) state;
	iotdata_buffer_init(&whole, storage, 1);
	iotdata_buffer_init(&out, storage + 1, sizeof(storage) - 1);
	assert_true(iotdata_sigv4_signing_key(&key, &scope, SECRET));

	openssl_works = 0;
	assert_false(iotdata_sigv4_canonical_request(&out, &request));
	assert_false(iotdata_sigv4_string_to_sign(&out, &scope, &whole));
	for (int works = 0; works < 2; works++)
	{
		openssl_works = works;
		assert_false(iotdata_sigv4_signature(signature, &key, &whole));
		assert_string_equal(signature, "");
	}
	openssl_works = 2;
	assert_true(iotdata_sigv4_signature(signature, &key, &whole));
	openssl_works = -1;
}

static void
a_key_that_could_not_be_made_is_not_valid(void **state)
{
	static const IotDataSigningKey zero = {0};
	char		secret[100];

	(void) state;
	memset(secret, 's', sizeof(secret) - 1);
	secret[sizeof(secret) - 1] = '\0';

	/* one hash for the fingerprint, one for a long secret, two per step */
	for (int works = 0; works < 10; works++)
	{
		IotDataSigningKey key = {0};

		assert_true(iotdata_sigv4_signing_key(&key, &scope, SECRET));
		openssl_works = works;
		assert_false(iotdata_sigv4_signing_key(&key, &scope, secret));
		openssl_works = -1;
		assert_memory_equal(&key, &zero, sizeof(zero));
		assert_true(iotdata_sigv4_signing_key(&key, &scope, secret));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_signed_as_aws_clients_sign_them),
		cmocka_unit_test(the_order_of_headers_does_not_matter),
		cmocka_unit_test(timestamps_are_utc),
		cmocka_unit_test(paths_are_encoded_once_more),
		cmocka_unit_test(queries_are_sorted_by_key_then_value),
		cmocka_unit_test(header_values_are_trimmed_and_folded),
		cmocka_unit_test(a_request_without_headers_has_an_empty_list),
		cmocka_unit_test(headers_sort_by_their_whole_names),
		cmocka_unit_test(too_many_pairs_or_headers_are_refused),
		cmocka_unit_test(every_output_overflows_at_every_length),
		cmocka_unit_test(a_request_that_overflowed_is_not_signed),
		cmocka_unit_test(an_invalid_key_signs_nothing),
		cmocka_unit_test(the_key_is_kept_for_the_same_day_region_service_and_secret),
		cmocka_unit_test(the_key_changes_with_each_of_what_it_is_made_from),
		cmocka_unit_test(keys_of_every_length_are_hmac_keys),
		cmocka_unit_test(a_short_timestamp_is_not_read_beyond),
		cmocka_unit_test(a_failure_of_openssl_is_reported_by_every_stage),
		cmocka_unit_test(a_key_that_could_not_be_made_is_not_valid),
	};

	return cmocka_run_group_tests_name("sigv4", tests, load_vectors,
									   free_vectors);
}
