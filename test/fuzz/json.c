/*
 * json.c
 *		The service's answers: exactly what RFC 8259 allows is accepted, but for
 *		what json.h excludes, and what was read writes to a text that reads the
 *		same.
 *
 * The other opinion is a recognizer of its own, written from the RFC's
 * grammar.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "aws/json.h"
#include "fuzz.h"

/* Every member that an answer's reader asks for, errors included. */
static const char *const members[] = {
	"connected", "thingName", "cleanSession", "sourceIp", "sourcePort",
	"targetIp", "targetPort", "keepAliveDuration", "connectedSince",
	"disconnectedSince", "disconnectReason", "sessionExpiry", "clientId",
	"vpcEndpointId", "subscriptions", "topicFilter", "qos", "nextToken",
	"message", "traceId", "Message", "code", "Code", "__type", "results",
	"timestamp", "topic", "payload", "lastModifiedTime", "userProperties",
	"retainedTopics", "payloadSize", ""
};

/* ---- the recognizer ---- */

typedef struct Text
{
	const uint8_t *at;
	const uint8_t *end;
	int			depth;
	bool		excluded;		/* JSON, but not for us: NUL, a lone
								 * surrogate... */
} Text;

static bool read_value(Text *text);

static int
next(const Text *text)
{
	return text->at < text->end ? *text->at : -1;
}

static bool
take(Text *text, int c)
{
	if (next(text) != c)
		return false;
	text->at++;
	return true;
}

static void
skip_space(Text *text)
{
	while (next(text) == ' ' || next(text) == '\t' || next(text) == '\n' || next(text) == '\r')
		text->at++;
}

static bool
take_word(Text *text, const char *word)
{
	size_t		length = strlen(word);

	if ((size_t) (text->end - text->at) < length || memcmp(text->at, word, length) != 0)
		return false;
	text->at += length;
	return true;
}

static bool
take_digits(Text *text)
{
	const uint8_t *begin = text->at;

	while (next(text) >= '0' && next(text) <= '9')
		text->at++;
	return text->at > begin;
}

static bool
read_number(Text *text)
{
	const uint8_t *begin = text->at;
	bool		integer = true;
	char	   *copy;

	take(text, '-');
	if (!take(text, '0') && !take_digits(text))
		return false;
	if (take(text, '.'))
	{
		integer = false;
		if (!take_digits(text))
			return false;
	}
	if (take(text, 'e') || take(text, 'E'))
	{
		integer = false;
		if (!take(text, '+'))
			take(text, '-');
		if (!take_digits(text))
			return false;
	}
	copy = fuzz_text(begin, (size_t) (text->at - begin));
	errno = 0;
	if (integer)
	{
		strtoll(copy, NULL, 10);
		text->excluded |= errno == ERANGE;
	}
	else
		text->excluded |= isinf(strtod(copy, NULL)) != 0;
	free(copy);
	return true;
}

/* Four hex digits; -1 when they are none. */
static int
read_hex(Text *text)
{
	int			code = 0;

	for (int i = 0; i < 4; i++)
	{
		static const char digits[] = "0123456789abcdefABCDEF";
		int			c = next(text);
		const char *found = (c <= 0) ? NULL : strchr(digits, c);

		if (found == NULL)
			return -1;
		code = code * 16 + (int) (found - digits) - (found - digits > 15 ? 6 : 0);
		text->at++;
	}
	return code;
}

/* \uXXXX, past the u; two of them when they are a pair. */
static bool
read_unicode(Text *text)
{
	int			code = read_hex(text);

	if (code < 0)
		return false;
	if (code == 0 || (code >= 0xdc00 && code <= 0xdfff))
		text->excluded = true;
	if (code >= 0xd800 && code <= 0xdbff)
	{
		Text		ahead = *text;
		int			low = take(&ahead, '\\') && take(&ahead, 'u') ? read_hex(&ahead) : -1;

		if (low >= 0xdc00 && low <= 0xdfff)
			text->at = ahead.at;
		else
			text->excluded = true;
	}
	return true;
}

static bool
read_string(Text *text)
{
	if (!take(text, '"'))
		return false;
	while (!take(text, '"'))
	{
		size_t		length = text->at < text->end ?
			fuzz_utf8(text->at, (size_t) (text->end - text->at)) : 0;

		if (length == 0 || *text->at < 0x20)
			return false;
		text->at += length;
		if (text->at[-1] != '\\')
			continue;
		if (take(text, 'u'))
		{
			if (!read_unicode(text))
				return false;
		}
		else if (next(text) <= 0 || strchr("\"\\/bfnrt", next(text)) == NULL)
			return false;
		else
			text->at++;
	}
	return true;
}

/* An array or an object; "close" is its last byte. */
static bool
read_nested(Text *text, char close)
{
	bool		good = true;

	text->at++;
	if (++text->depth > IOTDATA_JSON_MAX_DEPTH)
		text->excluded = true;
	if (text->depth > 4000)
		return false;			/* our own stack */
	skip_space(text);
	if (!take(text, close))
	{
		do
		{
			skip_space(text);
			if (close == '}')
			{
				good = read_string(text);
				skip_space(text);
				good = good && take(text, ':');
				skip_space(text);
			}
			good = good && read_value(text);
			skip_space(text);
		} while (good && take(text, ','));
		good = good && take(text, close);
	}
	text->depth--;
	return good;
}

static bool
read_value(Text *text)
{
	switch (next(text))
	{
		case '{':
			return read_nested(text, '}');
		case '[':
			return read_nested(text, ']');
		case '"':
			return read_string(text);
		case 't':
			return take_word(text, "true");
		case 'f':
			return take_word(text, "false");
		case 'n':
			return take_word(text, "null");
		default:
			return read_number(text);
	}
}

static bool
is_json(Text *text)
{
	bool		good;

	skip_space(text);
	good = read_value(text);
	skip_space(text);
	return good && text->at == text->end;
}

/* ---- the document ---- */

static void
write_string(FILE *out, IotDataJsonValue value)
{
	const uint8_t *bytes = (const uint8_t *) value.string;

	CHECK(strlen(value.string) == value.length);
	fputc('"', out);
	for (size_t at = 0; at < value.length;)
	{
		size_t		length = fuzz_utf8(bytes + at, value.length - at);

		CHECK(length > 0);
		if (bytes[at] < 0x20 || bytes[at] == '"' || bytes[at] == '\\')
			fprintf(out, "\\u%04x", bytes[at]);
		else
			fwrite(bytes + at, 1, length, out);
		at += length;
	}
	fputc('"', out);
}

/* Everything that can be reached, as JSON. */
static void
write_value(FILE *out, IotDataJsonValue value, int depth)
{
	const char *separator = "";

	CHECK(depth <= IOTDATA_JSON_MAX_DEPTH);
	switch (value.type)
	{
		case IOTDATA_JSON_MISSING:
			CHECK(false);
			break;
		case IOTDATA_JSON_NULL:
			fputs("null", out);
			break;
		case IOTDATA_JSON_BOOLEAN:
			fputs(value.boolean ? "true" : "false", out);
			break;
		case IOTDATA_JSON_INTEGER:
			fprintf(out, "%" PRId64, value.integer);
			break;
		case IOTDATA_JSON_REAL:
			CHECK(isfinite(value.real));
			fprintf(out, "%.17e", value.real);
			break;
		case IOTDATA_JSON_STRING:
			write_string(out, value);
			break;
		case IOTDATA_JSON_ARRAY:
			fputc('[', out);
			for (size_t i = 0; i < value.length; i++)
			{
				fputs(separator, out);
				write_value(out, iotdata_json_element(value, i), depth + 1);
				separator = ",";
			}
			fputc(']', out);
			CHECK(iotdata_json_element(value, value.length).type == IOTDATA_JSON_MISSING);
			CHECK(iotdata_json_member(value, "message").type == IOTDATA_JSON_MISSING);
			break;
		case IOTDATA_JSON_OBJECT:
			fputc('{', out);
			for (size_t i = 0; i < LENGTH_OF(members); i++)
			{
				IotDataJsonValue member = iotdata_json_member(value, members[i]);

				if (member.type == IOTDATA_JSON_MISSING)
					continue;
				fprintf(out, "%s\"%s\":", separator, members[i]);
				write_value(out, member, depth + 1);
				separator = ",";
			}
			fputc('}', out);
			CHECK(iotdata_json_element(value, 0).type == IOTDATA_JSON_MISSING);
			break;
	}
}

/* To be freed. */
static char *
write_document(const IotDataJson *document, size_t *length)
{
	char	   *text;
	FILE	   *out = open_memstream(&text, length);

	CHECK(out != NULL);
	write_value(out, iotdata_json_root(document), 0);
	CHECK(fclose(out) == 0);
	return text;
}

/* What the module itself writes reads the same, and fits. */
static void
check_written(const IotDataJson *document)
{
	IotDataJsonValue root = iotdata_json_root(document);
	size_t		size = iotdata_json_text_size(root);
	char	   *storage = malloc(size);
	IotDataBuffer out;
	const char *why;
	IotDataJson *again;
	char	   *written;
	char	   *rewritten;
	size_t		length;
	size_t		length_again;

	CHECK(storage != NULL);
	iotdata_buffer_init(&out, storage, size);
	iotdata_json_write(&out, root);
	CHECK(!out.overflowed);
	again = iotdata_json_parse(out.data, out.length, &why);
	CHECK(again != NULL);
	written = write_document(document, &length);
	rewritten = write_document(again, &length_again);
	CHECK(length == length_again && memcmp(written, rewritten, length) == 0);
	free(storage);
	free(written);
	free(rewritten);
	iotdata_json_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Text		text = {.at = data, .end = data + size};
	bool		json = is_json(&text);
	const char *why = NULL;
	IotDataJson *document = iotdata_json_parse((const char *) data, size, &why);
	IotDataJson *again;
	char	   *written;
	char	   *rewritten;
	size_t		length;
	size_t		length_again;

	CHECK((document == NULL) == (why != NULL));
	CHECK((document != NULL) == (json && !text.excluded));
	if (document == NULL)
		return 0;
	check_written(document);

	written = write_document(document, &length);
	again = iotdata_json_parse(written, length, &why);
	CHECK(again != NULL);
	rewritten = write_document(again, &length_again);
	CHECK(length == length_again && memcmp(written, rewritten, length) == 0);

	free(written);
	free(rewritten);
	iotdata_json_free(document);
	iotdata_json_free(again);
	return 0;
}
