/*
 * json_parse.c
 *		From a JSON text to the values in it, in one pass.
 */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aws/json_parse.h"
#include "aws/json_string.h"

#define MAX_DIGITS 19			/* of a 64-bit integer */

typedef struct Parser
{
	IotDataJson *document;
	char	   *at;				/* what was not read yet; ends with a NUL */
	char	   *end;
	int			depth;
} Parser;

static const char *read_value(Parser *parser);

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void
skip_space(Parser *parser)
{
	while (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\n' || *parser->at == '\r')
		parser->at++;
}

/* Can this byte not follow a number or a word at once? */
static bool
goes_on(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c != '\0' && strchr("+-._", c) != NULL);
}

/* What is wrong with something else than what could be next. */
static const char *
unexpected(const Parser *parser)
{
	char		c = *parser->at;

	if (parser->at == parser->end)
		return "ends too early";
	if (c >= 'a' && c <= 'z')
		return "not a valid word";
	if (is_digit(c) || (c != '\0' && strchr("[]{},:\"-", c) != NULL))
		return "not well-formed";
	return "an unexpected character";
}

/*
 * A node for the value that begins here, or NULL without memory. It may move
 * when another one is added.
 */
static IotDataJsonNode *
add_node(Parser *parser, IotDataJsonType type)
{
	IotDataJson *document = parser->document;

	if (document->count == document->room)
	{
		size_t		room = document->room == 0 ? 1 + document->length / 8 : document->room * 2;
		IotDataJsonNode *nodes = realloc(document->nodes, room * sizeof(*nodes));

		if (nodes == NULL)
			return NULL;
		document->nodes = nodes;
		document->room = room;
	}
	document->nodes[document->count] = (IotDataJsonNode) {.type = type, .span = 1, .source = parser->at};
	return &document->nodes[document->count++];
}

/* ---- numbers and words ---- */

/* Go past digits; how many? */
static size_t
skip_digits(Parser *parser)
{
	const char *begin = parser->at;

	while (is_digit(*parser->at))
		parser->at++;
	return (size_t) (parser->at - begin);
}

/* Digits without leading zeros: do they fit 64 bits with this sign? */
static bool
fits_integer(const char *digits, size_t length, bool negative)
{
	const char *limit = negative ? "9223372036854775808" : "9223372036854775807";

	return length < MAX_DIGITS ||
		(length == MAX_DIGITS && memcmp(digits, limit, MAX_DIGITS) <= 0);
}

static int64_t
integer_of(const char *digits, size_t length, bool negative)
{
	uint64_t	value = 0;

	for (size_t i = 0; i < length; i++)
		value = value * 10 + (uint64_t) (digits[i] - '0');
	return (int64_t) (negative ? -value : value);
}

/* With a point, whatever the locale. The C library has the locale "C" ready. */
static double
real_of(const char *text)
{
	static locale_t c_locale = (locale_t) 0;

	if (c_locale == (locale_t) 0)
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
	return strtod_l(text, NULL, c_locale);
}

/* Go past (. digits)? (e sign? digits)?; returns false when it is neither. */
static bool
skip_fraction(Parser *parser)
{
	if (*parser->at == '.')
	{
		parser->at++;
		if (skip_digits(parser) == 0)
			return false;
	}
	if (*parser->at == 'e' || *parser->at == 'E')
	{
		parser->at++;
		if (*parser->at == '+' || *parser->at == '-')
			parser->at++;
		if (skip_digits(parser) == 0)
			return false;
	}
	return true;
}

/* -? (0 | 1-9 digits) (. digits)? (e sign? digits)? (RFC 8259 section 6) */
static const char *
read_number(Parser *parser)
{
	IotDataJsonNode *node = add_node(parser, IOTDATA_JSON_INTEGER);
	char	   *begin = parser->at;
	bool		negative = *begin == '-';
	char	   *digits = begin + negative;
	size_t		length;

	if (node == NULL)
		return "out of memory";
	parser->at = digits;
	length = skip_digits(parser);
	if (length == 0 || (length > 1 && digits[0] == '0') ||
		!skip_fraction(parser) || goes_on(*parser->at))
		return "not a valid number";
	node->source_length = (size_t) (parser->at - begin);
	if (parser->at == digits + length)
	{
		if (!fits_integer(digits, length, negative))
			return "an integer beyond 64 bits";
		node->integer = integer_of(digits, length, negative);
		return NULL;
	}
	node->type = IOTDATA_JSON_REAL;
	node->real = real_of(begin);
	return isfinite(node->real) ? NULL : "a number out of range";
}

static const char *
read_word(Parser *parser)
{
	static const struct
	{
		const char *word;
		IotDataJsonType type;
		bool		boolean;
	}			words[] = {
		{"true", IOTDATA_JSON_BOOLEAN, true},
		{"false", IOTDATA_JSON_BOOLEAN, false},
		{"null", IOTDATA_JSON_NULL, false}
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		size_t		length = strlen(words[i].word);
		IotDataJsonNode *node;

		if (strncmp(parser->at, words[i].word, length) != 0 || goes_on(parser->at[length]))
			continue;
		node = add_node(parser, words[i].type);
		if (node == NULL)
			return "out of memory";
		node->boolean = words[i].boolean;
		node->source_length = length;
		parser->at += length;
		return NULL;
	}
	return "not a valid word";
}

/* ---- strings ---- */

static const char *
read_string(Parser *parser)
{
	IotDataJsonNode *node = add_node(parser, IOTDATA_JSON_STRING);
	char	   *begin = parser->at;
	const char *why;

	if (node == NULL)
		return "out of memory";
	why = iotdata_json_unescape(&parser->at, parser->end, &node->length);
	node->source_length = (size_t) (parser->at - begin);
	return why;
}

/* ---- arrays and objects ---- */

static const char *
read_member(Parser *parser)
{
	const char *why;

	if (*parser->at != '"')
		return unexpected(parser);
	why = read_string(parser);
	if (why != NULL)
		return why;
	skip_space(parser);
	if (*parser->at != ':')
		return unexpected(parser);
	parser->at++;
	return read_value(parser);
}

/* What is in it, up to "close". */
static const char *
read_contents(Parser *parser, char close, uint32_t *count)
{
	*count = 0;
	skip_space(parser);
	if (*parser->at == close)
		return NULL;
	for (;;)
	{
		const char *why;

		skip_space(parser);
		why = close == '}' ? read_member(parser) : read_value(parser);
		if (why != NULL)
			return why;
		++*count;
		skip_space(parser);
		if (*parser->at == close)
			return NULL;
		if (*parser->at != ',')
			return unexpected(parser);
		parser->at++;
	}
}

static const char *
read_nested(Parser *parser, IotDataJsonType type, char close)
{
	size_t		index = parser->document->count;
	uint32_t	count;
	const char *why;
	IotDataJsonNode *node;

	if (++parser->depth > IOTDATA_JSON_MAX_DEPTH)
		return "nested too deeply";
	if (add_node(parser, type) == NULL)
		return "out of memory";
	parser->at++;
	why = read_contents(parser, close, &count);
	if (why != NULL)
		return why;
	parser->at++;
	parser->depth--;
	node = &parser->document->nodes[index];
	node->span = (uint32_t) (parser->document->count - index);
	node->source_length = (size_t) (parser->at - node->source);
	node->array.count = count;
	return NULL;
}

/* ---- any value ---- */

static const char *
read_value(Parser *parser)
{
	char		c;

	skip_space(parser);
	c = *parser->at;
	if (c == '{')
		return read_nested(parser, IOTDATA_JSON_OBJECT, '}');
	if (c == '[')
		return read_nested(parser, IOTDATA_JSON_ARRAY, ']');
	if (c == '"')
		return read_string(parser);
	if (c == '-' || is_digit(c))
		return read_number(parser);
	if (c >= 'a' && c <= 'z')
		return read_word(parser);
	return unexpected(parser);
}

const char *
iotdata_json_read(IotDataJson *document)
{
	Parser		parser = {
		.document = document,
		.at = document->text,
		.end = document->text + document->length
	};
	const char *why = read_value(&parser);

	if (why != NULL)
		return why;
	skip_space(&parser);
	return parser.at == parser.end ? NULL : unexpected(&parser);
}
