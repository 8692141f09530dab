/*
 * json_test.c
 *		JSON as RFC 8259 has it.
 */
#include <limits.h>
#include <locale.h>
#include <math.h>

#include "unit.h"

#include "aws/json.h"

#define TEXT(literal) {literal, sizeof(literal) - 1}

typedef struct Text
{
	const char *bytes;
	size_t		length;
} Text;

/* Lets the allocations that json.c makes fail, from the one after these on. */
static int	allocations = INT_MAX;

extern void *__real_malloc(size_t size);
extern void *__wrap_malloc(size_t size);
extern void *__real_realloc(void *memory, size_t size);
extern void *__wrap_realloc(void *memory, size_t size);

void *
__wrap_malloc(size_t size)
{
	return allocations-- > 0 ? __real_malloc(size) : NULL;
}

void *
__wrap_realloc(void *memory, size_t size)
{
	return allocations-- > 0 ? __real_realloc(memory, size) : NULL;
}

static const Text good_texts[] = {
	/* scalars, alone: a number's end is the text's end */
	TEXT("0"), TEXT("-0"), TEXT("1"), TEXT("-1"), TEXT("123456789"),
	TEXT("9223372036854775807"), TEXT("-9223372036854775808"),
	TEXT("9223372036854775806"), TEXT("-9223372036854775807"),
	TEXT("999999999999999999"), TEXT("1000000000000000000"),
	TEXT("0.0"), TEXT("-0.0"), TEXT("1.5"), TEXT("-1.5"), TEXT("0.000001"),
	TEXT("10.01"), TEXT("1e0"), TEXT("1E0"), TEXT("1e+0"), TEXT("1e-0"),
	TEXT("1E+2"), TEXT("1E-2"), TEXT("1.0e1"), TEXT("0e1"), TEXT("0e+1"),
	TEXT("0E0"), TEXT("-0e-1"), TEXT("1e01"), TEXT("1e00000000000000001"),
	TEXT("1.7976931348623157e308"), TEXT("-1.7976931348623157e308"),
	TEXT("5e-324"), TEXT("1e-400"), TEXT("-1e-400"), TEXT("0e999999"),
	TEXT("9223372036854775808.0"), TEXT("9223372036854775808e0"),
	TEXT("123456789012345678901234567890.5"),
	TEXT("true"), TEXT("false"), TEXT("null"),
	TEXT("\"\""), TEXT("\"a\""),

	/* white space */
	TEXT(" 1"), TEXT("1 "), TEXT(" 1 "), TEXT("\t\n\r 1 \t\n\r"),
	TEXT(" true "), TEXT(" null\n"), TEXT("\n\"a\"\n"), TEXT(" [ ] "),
	TEXT("[1 ]"), TEXT("[ 1]"), TEXT("[\n1\n,\n2\n]"), TEXT("\t{\t}\t"),
	TEXT("{ \"a\" : 1 , \"b\" : 2 }"), TEXT("{\"a\"\r\n:\r\n1}"),

	/* arrays */
	TEXT("[]"), TEXT("[[]]"), TEXT("[[],[]]"), TEXT("[1]"), TEXT("[1,2,3]"),
	TEXT("[null]"), TEXT("[null,null]"), TEXT("[true,false]"), TEXT("[\"\"]"),
	TEXT("[1,\"a\",null,true,1.5,[],{}]"), TEXT("[-0]"), TEXT("[0]"),
	TEXT("[1e1]"), TEXT("[1E-1,2]"), TEXT("[{}]"), TEXT("[{},{}]"),
	TEXT("[[[[[1]]]]]"), TEXT("[[1],[2]]"),

	/* objects */
	TEXT("{}"), TEXT("{\"\":1}"), TEXT("{\"a\":1}"), TEXT("{\"a\":null}"),
	TEXT("{\"a\":1,\"b\":2}"), TEXT("{\"a\":{\"b\":{\"c\":[]}}}"),
	TEXT("{\"a\":[],\"b\":{}}"), TEXT("{\"a\":1,\"a\":2}"),
	TEXT("{\"a\":1,\"a\":1}"), TEXT("{\"\\u0061\":1}"),
	TEXT("{\"a\\nb\":\"c\"}"), TEXT("{\"\xc3\xa9\":1}"),
	TEXT("{\"true\":true,\"null\":null}"), TEXT("{\"a\":-1.5e3}"),
	TEXT("{\"a b\":1}"), TEXT("{\"__proto__\":1}"),

	/* strings: escapes */
	TEXT("\"\\\"\""), TEXT("\"\\\\\""), TEXT("\"\\/\""), TEXT("\"\\b\""),
	TEXT("\"\\f\""), TEXT("\"\\n\""), TEXT("\"\\r\""), TEXT("\"\\t\""),
	TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), TEXT("\"\\\\n\""),
	TEXT("\"\\\\u0000\""), TEXT("\"\\u0001\""), TEXT("\"\\u001f\""),
	TEXT("\"\\u0020\""), TEXT("\"\\u0022\""), TEXT("\"\\u005c\""),
	TEXT("\"\\u007f\""), TEXT("\"\\u0080\""), TEXT("\"\\u00e9\""),
	TEXT("\"\\u00E9\""), TEXT("\"\\uABCD\""), TEXT("\"\\uabcd\""),
	TEXT("\"\\uAbCd\""), TEXT("\"\\u2028\\u2029\""), TEXT("\"\\ud7ff\""),
	TEXT("\"\\ue000\""), TEXT("\"\\uffff\""), TEXT("\"\\ufeff\""),
	TEXT("\"\\ufdd0\""), TEXT("\"\\ud800\\udc00\""),
	TEXT("\"\\uD83D\\uDE00\""), TEXT("\"\\udbff\\udfff\""),
	TEXT("\"\\ud83d\\ude00\\ud83d\\ude00\""), TEXT("\"a\\ud834\\udd1eb\""),
	TEXT("[\"\\u0060\\u012a\\u12AB\"]"),

	/* strings: UTF-8 */
	TEXT("\"\x7f\""), TEXT("\"\xc2\x80\""), TEXT("\"\xc3\xa9\""),
	TEXT("\"\xdf\xbf\""), TEXT("\"\xe0\xa0\x80\""), TEXT("\"\xe2\x82\xac\""),
	TEXT("\"\xec\xbf\xbf\""), TEXT("\"\xed\x80\x80\""),
	TEXT("\"\xed\x9f\xbf\""), TEXT("\"\xee\x80\x80\""),
	TEXT("\"\xef\xbf\xbd\""), TEXT("\"\xef\xbf\xbf\""),
	TEXT("\"\xef\xbb\xbf\""), TEXT("\"\xe2\x80\xa8\""),
	TEXT("\"\xf0\x90\x80\x80\""), TEXT("\"\xf0\x9f\x9a\xb0\""),
	TEXT("\"\xf1\x80\x80\x80\""), TEXT("\"\xf4\x8f\xbf\xbf\""),
	TEXT("\"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xb0z\""),

	/* strings that look like something else */
	TEXT("\"[]{}:,\""), TEXT("\"// not a comment\""), TEXT("\"/* */\""),
	TEXT("\"NaN\""), TEXT("\"'\""), TEXT("[\"]\"]"), TEXT("{\"}\":\"{\"}"),
	TEXT("\"1e999\""), TEXT("\"99999999999999999999\""),
};

/*
 * By category of what is wrong. NULL: the tokens are right, their order is not.
 */
static const struct
{
	const char *why;
	Text		text;
}			bad_texts[] = {

	/* nothing, or not everything */
	{"ends too early", TEXT("")},
	{"ends too early", TEXT(" ")},
	{"ends too early", TEXT("\n\t\r ")},
	{"ends too early", TEXT("[")},
	{"ends too early", TEXT("[[]")},
	{"ends too early", TEXT("[1")},
	{"ends too early", TEXT("[1,")},
	{"ends too early", TEXT("[\"a\"")},
	{"ends too early", TEXT("[\"a\",\n4,\n1,")},
	{"ends too early", TEXT("{")},
	{"ends too early", TEXT("{\"a\"")},
	{"ends too early", TEXT("{\"a\":")},
	{"ends too early", TEXT("{\"a\":1")},
	{"ends too early", TEXT("{\"a\":1,")},
	{"ends too early", TEXT("{\"a\":{}")},
	{"ends too early", TEXT("[{}")},
	{"ends too early", TEXT("[true")},
	{"a string without an end", TEXT("\"")},
	{"a string without an end", TEXT("\"a")},
	{"a string without an end", TEXT("[\"a")},
	{"a string without an end", TEXT("\"\\\"")},
	{"a string without an end", TEXT("{\"a")},
	{"a string without an end", TEXT("{\"a\":\"b")},

	/* structure */
	{NULL, TEXT("]")},
	{NULL, TEXT("}")},
	{NULL, TEXT(",")},
	{NULL, TEXT(":")},
	{NULL, TEXT("[}")},
	{NULL, TEXT("{]")},
	{NULL, TEXT("[1}")},
	{NULL, TEXT("{\"a\":1]")},
	{NULL, TEXT("[1]]")},
	{NULL, TEXT("{}}")},
	{NULL, TEXT("[[1]")},
	{NULL, TEXT("[,]")},
	{NULL, TEXT("[,1]")},
	{NULL, TEXT("[1,]")},
	{NULL, TEXT("[1,,2]")},
	{NULL, TEXT("[1,,]")},
	{NULL, TEXT("[[],]")},
	{NULL, TEXT("[\"a\",]")},
	{NULL, TEXT("[1 ,\n]")},
	{NULL, TEXT("[1 2]")},
	{NULL, TEXT("[\"a\" \"b\"]")},
	{NULL, TEXT("[\"a\"\"b\"]")},
	{NULL, TEXT("[1 true]")},
	{NULL, TEXT("[null null]")},
	{NULL, TEXT("[[][]]")},
	{NULL, TEXT("[3[4]]")},
	{NULL, TEXT("[1:2]")},
	{NULL, TEXT("[\"a\":1]")},
	{NULL, TEXT("[:]")},
	{NULL, TEXT("{,}")},
	{NULL, TEXT("{:}")},
	{NULL, TEXT("{\"a\"}")},
	{NULL, TEXT("{\"a\":}")},
	{NULL, TEXT("{\"a\":,}")},
	{NULL, TEXT("{\"a\" 1}")},
	{NULL, TEXT("{\"a\",1}")},
	{NULL, TEXT("{\"a\",\"b\":1}")},
	{NULL, TEXT("{\"a\"::1}")},
	{NULL, TEXT("{\"a\":1,}")},
	{NULL, TEXT("{\"a\":1,,}")},
	{NULL, TEXT("{\"a\":1,,\"b\":2}")},
	{NULL, TEXT("{,\"a\":1}")},
	{NULL, TEXT("{\"a\":1 \"b\":2}")},
	{NULL, TEXT("{\"a\":1:2}")},
	{NULL, TEXT("{\"a\":1 2}")},
	{NULL, TEXT("{\"a\":\"b\" \"c\"}")},
	{NULL, TEXT("{:1}")},
	{NULL, TEXT("{1:1}")},
	{NULL, TEXT("{-1:1}")},
	{NULL, TEXT("{1.5:1}")},
	{NULL, TEXT("{null:1}")},
	{NULL, TEXT("{true:1}")},
	{NULL, TEXT("{[]:1}")},
	{NULL, TEXT("{{}:1}")},
	{NULL, TEXT("{\"a\":1,1:2}")},
	{NULL, TEXT("{\"a\":1,\"b\"}")},
	{NULL, TEXT("{null}")},
	{NULL, TEXT("{{}}")},
	{NULL, TEXT("{[]}")},

	/* text after the text */
	{NULL, TEXT("1 1")},
	{NULL, TEXT("1 2 3")},
	{NULL, TEXT("[][]")},
	{NULL, TEXT("[] []")},
	{NULL, TEXT("{}{}")},
	{NULL, TEXT("[]1")},
	{NULL, TEXT("[1],")},
	{NULL, TEXT("{},")},
	{NULL, TEXT("1,")},
	{NULL, TEXT("1,2")},
	{NULL, TEXT("1]")},
	{NULL, TEXT("1}")},
	{NULL, TEXT("1:")},
	{NULL, TEXT("1[]")},
	{NULL, TEXT("1\"a\"")},
	{NULL, TEXT("\"a\"1")},
	{NULL, TEXT("\"a\"\"b\"")},
	{NULL, TEXT("\"a\",")},
	{NULL, TEXT("\"a\":1")},
	{NULL, TEXT("true false")},
	{NULL, TEXT("true,")},
	{NULL, TEXT("true]")},
	{NULL, TEXT("null null")},
	{NULL, TEXT("null,")},
	{NULL, TEXT("null]")},
	{NULL, TEXT("null\"a\"")},
	{NULL, TEXT("{\"a\":1} true")},
	{NULL, TEXT("{\"a\":1}\n{\"a\":1}")},
	{"an unexpected character", TEXT("{}#")},
	{"an unexpected character", TEXT("[]\0")},
	{"an unexpected character", TEXT("1\0")},
	{"an unexpected character", TEXT("1 \0")},
	{"an unexpected character", TEXT("\"a\"\0")},
	{"an unexpected character", TEXT("[]\0[]")},
	{"an unexpected character", TEXT("{}\0garbage")},
	{"not a valid word", TEXT("[]x")},
	{"not a valid word", TEXT("{}garbage")},
	{"not a valid word", TEXT("1 x")},

	/* what is no token at all */
	{"an unexpected character", TEXT("\0")},
	{"an unexpected character", TEXT("[\0]")},
	{"an unexpected character", TEXT("\0[]")},
	{"an unexpected character", TEXT("'a'")},
	{"an unexpected character", TEXT("['a']")},
	{"an unexpected character", TEXT("{'a':1}")},
	{"an unexpected character", TEXT("{'a':'b'}")},
	{"an unexpected character", TEXT("`a`")},
	{"an unexpected character", TEXT("/* a */ 1")},
	{"an unexpected character", TEXT("1 /* a */")},
	{"an unexpected character", TEXT("[1 /* a */]")},
	{"an unexpected character", TEXT("// a\n1")},
	{"an unexpected character", TEXT("[] // a")},
	{"an unexpected character", TEXT("# a\n1")},
	{"an unexpected character", TEXT("<a/>")},
	{"an unexpected character", TEXT("<html><body>Forbidden</body></html>")},
	{"an unexpected character", TEXT("[*]")},
	{"an unexpected character", TEXT("(1)")},
	{"an unexpected character", TEXT("[1;2]")},
	{"an unexpected character", TEXT("{\"a\"=1}")},
	{"an unexpected character", TEXT("\\u0031")},
	{"an unexpected character", TEXT("[\\n]")},
	{"an unexpected character", TEXT("\f1")},
	{"an unexpected character", TEXT("1\f")},
	{"an unexpected character", TEXT("\v[]")},
	{"an unexpected character", TEXT("[\f]")},
	{"an unexpected character", TEXT("\xc2\xa0" "1")},
	{"an unexpected character", TEXT("\xe2\x80\x89[]")},
	{"an unexpected character", TEXT("\xef\xbb\xbf{}")},
	{"an unexpected character", TEXT("\xef\xbb\xbf")},
	{"an unexpected character", TEXT("\xff\xfe[\0]\0")},
	{"an unexpected character", TEXT("\0[\0]")},
	{"an unexpected character", TEXT("[\xc3\xa9]")},
	{"an unexpected character", TEXT("{\xc3\xa9:1}")},
	{"an unexpected character", TEXT("[\x7f]")},
	{"an unexpected character", TEXT("[\x1b]")},
	{"an unexpected character", TEXT("_")},
	{"an unexpected character", TEXT("$")},
	{"an unexpected character", TEXT("1 + 1")},

	/* words */
	{"an unexpected character", TEXT("NaN")},
	{"an unexpected character", TEXT("[NaN]")},
	{"an unexpected character", TEXT("Infinity")},
	{"an unexpected character", TEXT("[Infinity]")},
	{"an unexpected character", TEXT("True")},
	{"an unexpected character", TEXT("TRUE")},
	{"an unexpected character", TEXT("False")},
	{"an unexpected character", TEXT("None")},
	{"an unexpected character", TEXT("NULL")},
	{"an unexpected character", TEXT("Null")},
	{"not a valid number", TEXT("-NaN")},
	{"not a valid number", TEXT("-Infinity")},
	{"not a valid number", TEXT("[-Infinity]")},
	{"not a valid number", TEXT("-inf")},
	{"not a valid number", TEXT("-true")},
	{"not a valid word", TEXT("nan")},
	{"not a valid word", TEXT("inf")},
	{"not a valid word", TEXT("infinity")},
	{"not a valid word", TEXT("t")},
	{"not a valid word", TEXT("tru")},
	{"not a valid word", TEXT("[tru]")},
	{"not a valid word", TEXT("fals")},
	{"not a valid word", TEXT("[fals]")},
	{"not a valid word", TEXT("nul")},
	{"not a valid word", TEXT("[nul]")},
	{"not a valid word", TEXT("n")},
	{"not a valid word", TEXT("tRUE")},
	{"not a valid word", TEXT("nULL")},
	{"not a valid word", TEXT("truE")},
	{"not a valid word", TEXT("truee")},
	{"not a valid word", TEXT("true1")},
	{"not a valid word", TEXT("true.")},
	{"not a valid word", TEXT("truefalse")},
	{"not a valid word", TEXT("nullnull")},
	{"not a valid word", TEXT("null0")},
	{"not a valid word", TEXT("false_")},
	{"not a valid word", TEXT("undefined")},
	{"not a valid word", TEXT("a")},
	{"not a valid word", TEXT("[a]")},
	{"not a valid word", TEXT("{a:1}")},
	{"not a valid word", TEXT("{a:\"b\"}")},
	{"not a valid word", TEXT("u0031")},
	{"an unexpected character", TEXT("true\xc3\xa9")},

	/* numbers */
	{"not a valid number", TEXT("-")},
	{"not a valid number", TEXT("[-]")},
	{"not a valid number", TEXT("- 1")},
	{"not a valid number", TEXT("--1")},
	{"not a valid number", TEXT("-+1")},
	{"an unexpected character", TEXT("+1")},
	{"an unexpected character", TEXT("[+1]")},
	{"an unexpected character", TEXT("++1")},
	{"an unexpected character", TEXT(".5")},
	{"an unexpected character", TEXT("[.5]")},
	{"an unexpected character", TEXT(".")},
	{"not a valid number", TEXT("-.5")},
	{"not a valid number", TEXT("1.")},
	{"not a valid number", TEXT("[1.]")},
	{"not a valid number", TEXT("-1.")},
	{"not a valid number", TEXT("1.e1")},
	{"not a valid number", TEXT("1.5.5")},
	{"not a valid number", TEXT("1..5")},
	{"not a valid number", TEXT("1.-5")},
	{"not a valid number", TEXT("1.+5")},
	{"not a valid number", TEXT("00")},
	{"not a valid number", TEXT("01")},
	{"not a valid number", TEXT("-01")},
	{"not a valid number", TEXT("-00")},
	{"not a valid number", TEXT("[01]")},
	{"not a valid number", TEXT("012.5")},
	{"not a valid number", TEXT("00.5")},
	{"not a valid number", TEXT("00e1")},
	{"not a valid number", TEXT("1e")},
	{"not a valid number", TEXT("1E")},
	{"not a valid number", TEXT("1e+")},
	{"not a valid number", TEXT("1e-")},
	{"not a valid number", TEXT("1.5e")},
	{"not a valid number", TEXT("[1e]")},
	{"not a valid number", TEXT("0e")},
	{"not a valid number", TEXT("0e+]")},
	{"not a valid number", TEXT("1e1.5")},
	{"not a valid number", TEXT("1e1e1")},
	{"not a valid number", TEXT("1ee1")},
	{"not a valid number", TEXT("1eE1")},
	{"not a valid number", TEXT("1e+-1")},
	{"not a valid number", TEXT("1e++1")},
	{"not a valid number", TEXT("1e 1")},
	{"not a valid number", TEXT("1e\xc3\xa9")},
	{"not a valid number", TEXT("0x10")},
	{"not a valid number", TEXT("0x")},
	{"not a valid number", TEXT("0X1F")},
	{"not a valid number", TEXT("0b1")},
	{"not a valid number", TEXT("0o7")},
	{"not a valid number", TEXT("1_000")},
	{"not a valid number", TEXT("1a")},
	{"not a valid number", TEXT("1n")},
	{"not a valid number", TEXT("1f")},
	{"not a valid number", TEXT("1true")},
	{"not a valid number", TEXT("[1null]")},
	{"not a valid number", TEXT("1-1")},
	{"not a valid number", TEXT("1+1")},
	{"not a valid number", TEXT("1.5-1")},
	{"not a valid number", TEXT("[1.2a-3]")},
	{"an unexpected character", TEXT("\xef\xbc\x91")},
	{"an integer beyond 64 bits", TEXT("9223372036854775808")},
	{"an integer beyond 64 bits", TEXT("-9223372036854775809")},
	{"an integer beyond 64 bits", TEXT("9999999999999999999")},
	{"an integer beyond 64 bits", TEXT("10000000000000000000")},
	{"an integer beyond 64 bits", TEXT("-10000000000000000000")},
	{"an integer beyond 64 bits", TEXT("18446744073709551615")},
	{"an integer beyond 64 bits", TEXT("18446744073709551616")},
	{"an integer beyond 64 bits", TEXT("[100000000000000000000]")},
	{"an integer beyond 64 bits", TEXT("{\"a\":92233720368547758080}")},
	{"a number out of range", TEXT("1e309")},
	{"a number out of range", TEXT("-1e309")},
	{"a number out of range", TEXT("1e999999999999")},
	{"a number out of range", TEXT("1.8e308")},
	{"a number out of range", TEXT("[1e309]")},
	{"a number out of range", TEXT("[1,[2,{\"a\":[-1e309]}]]")},
	{"a number out of range", TEXT("{\"a\":1,\"b\":1e309,\"c\":2}")},

	/* strings: control characters and escapes */
	{"a control character in a string", TEXT("\"\0\"")},
	{"a control character in a string", TEXT("\"a\0b\"")},
	{"a control character in a string", TEXT("\"\n\"")},
	{"a control character in a string", TEXT("\"\t\"")},
	{"a control character in a string", TEXT("\"\r\"")},
	{"a control character in a string", TEXT("\"\x1f\"")},
	{"a control character in a string", TEXT("[\"a\nb\"]")},
	{"a control character in a string", TEXT("{\"a\nb\":1}")},
	{"a control character in a string", TEXT("{\"a\0\":1}")},
	{"a NUL in a string", TEXT("\"\\u0000\"")},
	{"a NUL in a string", TEXT("\"a\\u0000b\"")},
	{"a NUL in a string", TEXT("{\"\\u0000\":1}")},
	{"a NUL in a string", TEXT("{\"a\":\"\\u0000\"}")},
	{"not a valid escape", TEXT("\"\\")},
	{"not a valid escape", TEXT("\"\\a\"")},
	{"not a valid escape", TEXT("\"\\v\"")},
	{"not a valid escape", TEXT("\"\\0\"")},
	{"not a valid escape", TEXT("\"\\'\"")},
	{"not a valid escape", TEXT("\"\\x41\"")},
	{"not a valid escape", TEXT("\"\\U0041\"")},
	{"not a valid escape", TEXT("\"\\ \"")},
	{"not a valid escape", TEXT("\"\\\n\"")},
	{"not a valid escape", TEXT("\"\\N\"")},
	{"not a valid escape", TEXT("\"\\\0\"")},
	{"not a valid escape", TEXT("\"\\\xc3\xa9\"")},
	{"not a valid escape", TEXT("\"\\u\"")},
	{"not a valid escape", TEXT("\"\\u")},
	{"not a valid escape", TEXT("\"\\u0\"")},
	{"not a valid escape", TEXT("\"\\u00\"")},
	{"not a valid escape", TEXT("\"\\u004\"")},
	{"not a valid escape", TEXT("\"\\u004")},
	{"not a valid escape", TEXT("\"\\u00g0\"")},
	{"not a valid escape", TEXT("\"\\u004G\"")},
	{"not a valid escape", TEXT("\"\\u 041\"")},
	{"not a valid escape", TEXT("\"\\u+041\"")},
	{"not a valid escape", TEXT("\"\\u-041\"")},
	{"not a valid escape", TEXT("\"\\u0x41\"")},
	{"not a valid escape", TEXT("\"\\u{41}\"")},
	{"a lone surrogate", TEXT("\"\\ud800\"")},
	{"a lone surrogate", TEXT("\"\\udbff\"")},
	{"a lone surrogate", TEXT("\"\\udc00\"")},
	{"a lone surrogate", TEXT("\"\\udfff\"")},
	{"a lone surrogate", TEXT("\"\\uD800\"")},
	{"a lone surrogate", TEXT("\"\\uDFFF\"")},
	{"a lone surrogate", TEXT("\"a\\ud800b\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\n\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\u0041\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\ud800\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\ud800\\udc00\"")},
	{"a lone surrogate", TEXT("\"\\udc00\\ud800\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\udbff\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\ue000\"")},
	{"a lone surrogate", TEXT("\"\\ud800 \\udc00\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\\\udc00\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\u\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\udc0\"")},
	{"a lone surrogate", TEXT("\"\\ud800\\udc0g\"")},
	{"a lone surrogate", TEXT("\"\\ud83d\\ude00\\ud83d\"")},
	{"a lone surrogate", TEXT("{\"\\ud800\":1}")},
	{"a lone surrogate", TEXT("\"\\ud800")},
	{"a lone surrogate", TEXT("\"\\ud800\\")},
	{"a lone surrogate", TEXT("\"\\ud800\\u")},

	/* strings: what is not UTF-8 */
	{"not valid UTF-8", TEXT("\"\x80\"")},
	{"not valid UTF-8", TEXT("\"\xbf\"")},
	{"not valid UTF-8", TEXT("\"\xc0\x80\"")},
	{"not valid UTF-8", TEXT("\"\xc0\xaf\"")},
	{"not valid UTF-8", TEXT("\"\xc1\xbf\"")},
	{"not valid UTF-8", TEXT("\"\xc2\"")},
	{"not valid UTF-8", TEXT("\"\xc2")},
	{"not valid UTF-8", TEXT("\"\xc2\x41\"")},
	{"not valid UTF-8", TEXT("\"\xc2\xc2\x80\"")},
	{"not valid UTF-8", TEXT("\"\xe0\x80\x80\"")},
	{"not valid UTF-8", TEXT("\"\xe0\x9f\xbf\"")},
	{"not valid UTF-8", TEXT("\"\xe0\xa0\"")},
	{"not valid UTF-8", TEXT("\"\xe2\x82\"")},
	{"not valid UTF-8", TEXT("\"\xe2\x82")},
	{"not valid UTF-8", TEXT("\"\xe2\x28\xa1\"")},
	{"not valid UTF-8", TEXT("\"\xe2\x82\x28\"")},
	{"not valid UTF-8", TEXT("\"\xed\xa0\x80\"")},
	{"not valid UTF-8", TEXT("\"\xed\xbf\xbf\"")},
	{"not valid UTF-8", TEXT("\"\xed\xa0\xbd\xed\xb8\x80\"")},
	{"not valid UTF-8", TEXT("\"\xf0\x80\x80\x80\"")},
	{"not valid UTF-8", TEXT("\"\xf0\x8f\xbf\xbf\"")},
	{"not valid UTF-8", TEXT("\"\xf0\x9f\x9a\"")},
	{"not valid UTF-8", TEXT("\"\xf0\x9f\"")},
	{"not valid UTF-8", TEXT("\"\xf0\"")},
	{"not valid UTF-8", TEXT("\"\xf4\x90\x80\x80\"")},
	{"not valid UTF-8", TEXT("\"\xf5\x80\x80\x80\"")},
	{"not valid UTF-8", TEXT("\"\xf8\x88\x80\x80\x80\"")},
	{"not valid UTF-8", TEXT("\"\xfc\x84\x80\x80\x80\x80\"")},
	{"not valid UTF-8", TEXT("\"\xfe\"")},
	{"not valid UTF-8", TEXT("\"\xff\"")},
	{"not valid UTF-8", TEXT("\"caf\xe9\"")},
	{"not valid UTF-8", TEXT("{\"\xff\":1}")},
	{"not valid UTF-8", TEXT("\"a\xc3\xa9\x80\"")},
};

/* Parse a copy that ends where its storage does. */
static IotDataJson *
parse(const char *bytes, size_t length, const char **why)
{
	char	   *copy = exact_copy(bytes, length);
	IotDataJson *document = iotdata_json_parse(copy, length, why);

	free(copy);
	assert_int_equal(document == NULL, *why != NULL);
	return document;
}

/* NULL when it is taken. */
static const char *
why_refused(const char *bytes, size_t length)
{
	const char *why;

	iotdata_json_free(iotdata_json_parse(bytes, length, &why));
	return why;
}

static IotDataJson *
parse_string(const char *text)
{
	const char *why;
	IotDataJson *document = parse(text, strlen(text), &why);

	if (document == NULL)
		fail_msg("%s: %s", text, why);
	return document;
}

static void
assert_refused(const char *bytes, size_t length, const char *expected)
{
	const char *why;
	IotDataJson *document = parse(bytes, length, &why);

	if (document != NULL)
		fail_msg("%.*s is taken", (int) length, bytes);
	if (expected != NULL && strcmp(why, expected) != 0)
		fail_msg("%.*s: %s, not %s", (int) length, bytes, why, expected);
}

static void
valid_json_is_taken(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(good_texts); i++)
	{
		const char *why;
		IotDataJson *document = parse(good_texts[i].bytes,
									  good_texts[i].length, &why);

		if (document == NULL)
			fail_msg("%s: %s", good_texts[i].bytes, why);
		iotdata_json_free(document);
	}
}

static void
invalid_json_is_refused(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH_OF(bad_texts); i++)
		assert_refused(bad_texts[i].text.bytes, bad_texts[i].text.length,
					   bad_texts[i].why);
}

/* Good texts that are no number: cut anywhere, each is bad. */
static void
json_that_is_cut_off_is_refused(void **state)
{
	static const char whole[] = "{\"a\":[1,-2.5e+3,true,false,null],"
		"\"b\\u00e9\\ud83d\\ude00\":{\"c\xc3\xa9\xe2\x82\xac\":\"\\n\"}}";

	(void) state;
	iotdata_json_free(parse_string(whole));
	for (size_t length = 0; length < sizeof(whole) - 1; length++)
		assert_refused(whole, length, NULL);
}

static void
every_byte_outside_strings_is_taken_or_refused_as_json_says(void **state)
{
	(void) state;
	for (int i = 0; i < 256; i++)
	{
		char		text[] = "[ ]";
		const char *why;
		IotDataJson *document;
		bool		good;

		good = (i >= '0' && i <= '9') || i == ' ' || i == '\t' ||
			i == '\n' || i == '\r';
		text[1] = (char) i;
		document = parse(text, 3, &why);
		assert_int_equal(document != NULL, good);
		iotdata_json_free(document);
	}
}

static void
every_byte_within_strings_is_taken_or_refused_as_json_says(void **state)
{
	(void) state;
	for (int i = 0; i < 256; i++)
	{
		char		raw[] = "[\" \"]";
		char		escaped[] = "[\"\\ \"]";
		const char *why;
		IotDataJson *document;

		raw[2] = (char) i;
		document = parse(raw, sizeof(raw) - 1, &why);
		assert_int_equal(document != NULL,
						 i >= 0x20 && i < 0x80 && i != '"' && i != '\\');
		iotdata_json_free(document);

		escaped[3] = (char) i;
		document = parse(escaped, sizeof(escaped) - 1, &why);
		assert_int_equal(document != NULL,
						 i != 0 && strchr("\"\\/bfnrt", i) != NULL);
		iotdata_json_free(document);
	}
}

/* What UTF-8 is, written down once more in another way. */
static bool
is_character(const unsigned char *bytes)
{
	uint32_t	code;

	code = (uint32_t) (bytes[0] & 0x07) << 18 |
		(uint32_t) (bytes[1] & 0x3f) << 12 |
		(uint32_t) (bytes[2] & 0x3f) << 6 | (bytes[3] & 0x3f);

	if ((bytes[0] & 0xf8) == 0xf0)
		return (bytes[1] & 0xc0) == 0x80 && code >= 0x10000 && code <= 0x10ffff;
	if ((bytes[0] & 0xf0) == 0xe0)
	{
		code = (uint32_t) (bytes[0] & 0x0f) << 6 | (bytes[1] & 0x3f);
		return (bytes[1] & 0xc0) == 0x80 && code >= 0x20 &&
			!(code >= 0x360 && code <= 0x37f);
	}
	return false;
}

static void
every_second_byte_of_utf8_is_taken_or_refused_as_utf8_says(void **state)
{
	(void) state;
	for (int i = 0xe000; i <= 0xffff; i++)
	{
		unsigned char bytes[] = {
			'"', (unsigned char) (i >> 8), (unsigned char) i, 0x80, 0x80, '"'
		};
		size_t		length = (bytes[1] >= 0xf0) ? 6 : 5;
		const char *why;

		if (length == 5)
			bytes[4] = '"';
		why = why_refused((const char *) bytes, length);
		assert_int_equal(why == NULL, is_character(bytes + 1));
	}
}

static void
every_surrogate_needs_its_other_half(void **state)
{
	(void) state;
	for (unsigned int first = 0xd700; first <= 0xe0ff; first += 0x7f)
	{
		for (unsigned int second = 0xd700; second <= 0xe0ff; second += 0x7f)
		{
			char		text[16];
			bool		pair;
			bool		none;

			pair = first >= 0xd800 && first <= 0xdbff &&
				second >= 0xdc00 && second <= 0xdfff;
			none = (first < 0xd800 || first > 0xdfff) &&
				(second < 0xd800 || second > 0xdfff);
			snprintf(text, sizeof(text), "\"\\u%04x\\u%04X\"", first, second);
			assert_int_equal(why_refused(text, 14) == NULL,
							 pair || none);
		}
	}
}

static void
numbers_keep_their_values(void **state)
{
	static const struct
	{
		const char *text;
		int64_t		value;
	}			integers[] = {
		{"0", 0}, {"-0", 0}, {"7", 7}, {" -42 ", -42},
		{"1780315200123", INT64_C(1780315200123)},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN},
	};
	static const struct
	{
		const char *text;
		double		value;
	}			reals[] = {
		{"0.0", 0.0}, {"1.5", 1.5}, {"-1.5", -1.5}, {"1e3", 1000.0},
		{"25E-1", 2.5}, {"9223372036854775808.0", 9223372036854775808.0},
		{"1.7976931348623157e308", 1.7976931348623157e308}, {"1e-400", 0.0},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(integers); i++)
	{
		IotDataJson *document = parse_string(integers[i].text);
		IotDataJsonValue value = iotdata_json_root(document);

		assert_int_equal(value.type, IOTDATA_JSON_INTEGER);
		assert_true(value.integer == integers[i].value);
		iotdata_json_free(document);
	}
	for (size_t i = 0; i < LENGTH_OF(reals); i++)
	{
		IotDataJson *document = parse_string(reals[i].text);
		IotDataJsonValue value = iotdata_json_root(document);

		assert_int_equal(value.type, IOTDATA_JSON_REAL);
		assert_true(value.real == reals[i].value);
		iotdata_json_free(document);
	}
}

static void
strings_keep_their_bytes(void **state)
{
	static const char *const strings[][2] = {
		{"\"\"", ""},
		{"\"a b\"", "a b"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
		{"\"\\uD83D\\uDEB0\"", "\xf0\x9f\x9a\xb0"},
		{"\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{"\"\\ufffd\\uffff\"", "\xef\xbf\xbd\xef\xbf\xbf"},
		{"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xb0\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xb0"},
		{"\"\\\\u0000\"", "\\u0000"},
		{"\"\\u0001\x7f\"", "\x01\x7f"},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(strings); i++)
	{
		IotDataJson *document = parse_string(strings[i][0]);
		IotDataJsonValue value = iotdata_json_root(document);

		assert_int_equal(value.type, IOTDATA_JSON_STRING);
		assert_int_equal(value.length, strlen(strings[i][1]));
		assert_string_equal(value.string, strings[i][1]);
		iotdata_json_free(document);
	}
}

static void
each_value_has_its_type(void **state)
{
	static const struct
	{
		const char *name;
		IotDataJsonType type;
	}			members[] = {
		{"null", IOTDATA_JSON_NULL}, {"true", IOTDATA_JSON_BOOLEAN},
		{"false", IOTDATA_JSON_BOOLEAN}, {"integer", IOTDATA_JSON_INTEGER},
		{"real", IOTDATA_JSON_REAL}, {"string", IOTDATA_JSON_STRING},
		{"array", IOTDATA_JSON_ARRAY}, {"object", IOTDATA_JSON_OBJECT},
		{"", IOTDATA_JSON_INTEGER}, {"other", IOTDATA_JSON_MISSING},
		{"Null", IOTDATA_JSON_MISSING}, {"nul", IOTDATA_JSON_MISSING},
	};
	IotDataJson *document = parse_string("{\"null\":null,\"true\":true,"
										 "\"false\":false,\"integer\":1,"
										 "\"real\":1.5,\"string\":\"s\","
										 "\"array\":[1,null],\"object\":{},"
										 "\"\":2}");
	IotDataJsonValue root = iotdata_json_root(document);

	(void) state;
	assert_int_equal(root.type, IOTDATA_JSON_OBJECT);
	for (size_t i = 0; i < LENGTH_OF(members); i++)
		assert_int_equal(iotdata_json_member(root, members[i].name).type,
						 members[i].type);
	assert_true(iotdata_json_member(root, "true").boolean);
	assert_false(iotdata_json_member(root, "false").boolean);
	iotdata_json_free(document);
}

static void
null_alone_is_a_document(void **state)
{
	IotDataJson *document = parse_string(" null ");
	IotDataJsonValue root = iotdata_json_root(document);

	(void) state;
	assert_int_equal(root.type, IOTDATA_JSON_NULL);
	assert_int_equal(iotdata_json_member(root, "a").type,
					 IOTDATA_JSON_MISSING);
	assert_int_equal(iotdata_json_element(root, 0).type,
					 IOTDATA_JSON_MISSING);
	iotdata_json_free(document);
	iotdata_json_free(NULL);
}

static void
elements_are_counted_from_zero(void **state)
{
	IotDataJson *document = parse_string("[10,[20,null],\"x\"]");
	IotDataJsonValue root = iotdata_json_root(document);
	IotDataJsonValue inner = iotdata_json_element(root, 1);

	(void) state;
	assert_int_equal(root.type, IOTDATA_JSON_ARRAY);
	assert_int_equal(root.length, 3);
	assert_int_equal(iotdata_json_element(root, 0).integer, 10);
	assert_int_equal(inner.length, 2);
	assert_int_equal(iotdata_json_element(inner, 0).integer, 20);
	assert_int_equal(iotdata_json_element(inner, 1).type, IOTDATA_JSON_NULL);
	assert_string_equal(iotdata_json_element(root, 2).string, "x");
	assert_int_equal(iotdata_json_element(root, 3).type,
					 IOTDATA_JSON_MISSING);
	assert_int_equal(iotdata_json_element(root, SIZE_MAX).type,
					 IOTDATA_JSON_MISSING);
	iotdata_json_free(document);
}

static void
only_objects_have_members_and_only_arrays_elements(void **state)
{
	static const char *const texts[] = {
		"1", "1.5", "\"a\"", "true", "null", "[1]", "{\"a\":1}"
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(texts); i++)
	{
		IotDataJson *document = parse_string(texts[i]);
		IotDataJsonValue root = iotdata_json_root(document);
		IotDataJsonValue nowhere = iotdata_json_member(root, "b");

		assert_int_equal(iotdata_json_member(root, "a").type,
						 texts[i][0] == '{' ? IOTDATA_JSON_INTEGER :
						 IOTDATA_JSON_MISSING);
		assert_int_equal(iotdata_json_element(root, 0).type,
						 texts[i][0] == '[' ? IOTDATA_JSON_INTEGER :
						 IOTDATA_JSON_MISSING);
		assert_int_equal(iotdata_json_member(nowhere, "a").type,
						 IOTDATA_JSON_MISSING);
		assert_int_equal(iotdata_json_element(nowhere, 0).type,
						 IOTDATA_JSON_MISSING);
		iotdata_json_free(document);
	}
}

static void
the_last_of_members_of_one_name_counts(void **state)
{
	IotDataJson *document = parse_string("{\"a\":1,\"b\":2,\"a\":\"x\","
										 "\"\\u0061\":[3]}");
	IotDataJsonValue a = iotdata_json_member(iotdata_json_root(document), "a");

	(void) state;
	assert_int_equal(a.type, IOTDATA_JSON_ARRAY);
	assert_int_equal(iotdata_json_element(a, 0).integer, 3);
	iotdata_json_free(document);
}

/* "depth" times "open", "middle", and as many times "close". */
static char *
nest(size_t depth, const char *open, const char *middle, char close)
{
	size_t		step = strlen(open);
	char	   *text = malloc(depth * (step + 1) + strlen(middle) + 1);
	char	   *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < depth; i++, at += step)
		memcpy(at, open, step + 1);
	at += sprintf(at, "%s", middle);
	memset(at, close, depth);
	at[depth] = '\0';
	return text;
}

static void
nesting_goes_32_levels_deep(void **state)
{
	static const size_t depths[] = {1, 31, 32, 33, 34, 1000, 100000};
	static const struct
	{
		const char *open;
		const char *middle;
		char		close;
	}			kinds[] = {
		{"[", "", ']'}, {"[", "1", ']'}, {"[", "null", ']'},
		{"[", "\"a\"", ']'}, {"{\"a\":", "1", '}'}, {"{\"a\":", "null", '}'},
		{"[0,", "1.5", ']'}
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(kinds) * LENGTH_OF(depths); i++)
	{
		size_t		depth = depths[i % LENGTH_OF(depths)];
		size_t		kind = i / LENGTH_OF(depths);
		char	   *text = nest(depth, kinds[kind].open, kinds[kind].middle,
								kinds[kind].close);

		if (depth <= 32)
			iotdata_json_free(parse_string(text));
		else
			assert_refused(text, strlen(text), "nested too deeply");
		free(text);
	}
	assert_refused("]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 40, NULL);
}

static void
brackets_that_are_closed_do_not_count_as_nesting(void **state)
{
	char	   *text = nest(1000, "[],", "[", ']');
	char	   *list = malloc(3100);

	/* "[[],[],...,[]]" */
	(void) state;
	list[0] = '[';
	memcpy(list + 1, text, 3000);
	strcpy(list + 3001, "[]]");
	iotdata_json_free(parse_string(list));
	free(list);
	free(text);
}

/* Where none of these locales is installed, this checks the C locale only. */
static void
a_comma_locale_changes_no_number(void **state)
{
	static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8"};
	IotDataJson *document;
	size_t		i = 0;

	(void) state;
	while (i < LENGTH_OF(locales) && setlocale(LC_ALL, locales[i]) == NULL)
		i++;
	document = parse_string("[1.5,2]");
	assert_true(iotdata_json_element(iotdata_json_root(document), 0).real == 1.5);
	iotdata_json_free(document);
	assert_refused("[1,5.]", 6, "not a valid number");
	setlocale(LC_ALL, "C");
}

/* Such texts take hours when the work grows with the square of the length. */
static void
long_texts_take_linear_time(void **state)
{
	const char *megabytes = getenv("IOTDATA_TEST_MEGABYTES");
	size_t		length = (size_t) (megabytes ? atoi(megabytes) : 100) << 20;
	char	   *text = malloc(length);
	const char *why;
	IotDataJson *document;

	(void) state;
	assert_non_null(text);

	memset(text, 'a', length);
	text[0] = text[length - 1] = '"';
	document = iotdata_json_parse(text, length, &why);
	assert_non_null(document);
	assert_int_equal(iotdata_json_root(document).length, length - 2);
	iotdata_json_free(document);
	text[length - 1] = 'a';
	assert_null(iotdata_json_parse(text, length, &why));
	assert_string_equal(why, "a string without an end");

	memset(text, '[', length);
	assert_null(iotdata_json_parse(text, length, &why));
	assert_string_equal(why, "nested too deeply");

	memset(text, '1', length);
	assert_null(iotdata_json_parse(text, length, &why));
	assert_string_equal(why, "an integer beyond 64 bits");
	text[1] = '.';
	document = iotdata_json_parse(text, length, &why);
	assert_non_null(document);
	iotdata_json_free(document);

	memset(text, ' ', length);
	assert_null(iotdata_json_parse(text, length, &why));
	assert_string_equal(why, "ends too early");

	memset(text, '\\', length);
	text[0] = '"';
	text[length - 1] = '"';
	text[length - 2] = 'n';
	document = iotdata_json_parse(text, length, &why);
	assert_non_null(document);
	iotdata_json_free(document);
	free(text);
}

static void
texts_of_two_gigabytes_are_refused(void **state)
{
	const char *why;

	/* refused before a byte of it is read */
	(void) state;
	assert_null(iotdata_json_parse("1", (size_t) INT32_MAX, &why));
	assert_string_equal(why, "too long");
	assert_null(iotdata_json_parse("1", SIZE_MAX, &why));
	assert_string_equal(why, "too long");
}

static void
running_out_of_memory_is_an_error(void **state)
{
	static const char text[] = "[{\"a\":[1,2.5,\"b\",null,true,{}]},[],[],[],[],[],[],[],[],[]]";
	bool		taken = false;

	(void) state;
	for (int i = 0; !taken && i < 100; i++)
	{
		const char *why = NULL;
		IotDataJson *document;

		allocations = i;
		document = iotdata_json_parse(text, strlen(text), &why);
		allocations = INT_MAX;
		taken = document != NULL;
		if (!taken)
			assert_string_equal(why, "out of memory");
		iotdata_json_free(document);
	}
	assert_true(taken);
}

static void
a_place_is_written_as_it_was_read(void **state)
{
	static const struct
	{
		const char *text;
		const char *written;
	}			texts[] = {
		{" [ 1 , -0 , 1.50 , 1E+2 ] ", "[1,-0,1.50,1E+2]"},
		{"{ \"a\" : { } , \"b\" : [ ] , \"a\" : null }", "{\"a\":{},\"b\":[],\"a\":null}"},
		{"[true,\tfalse,null]", "[true,false,null]"},
		{"\"\\u0041\\/\\u00e9\"", "\"A/\xc3\xa9\""},
		{"\"\\u0022\\u005c\\u000a\\u0001\\u001f\"", "\"\\\"\\\\\\n\\u0001\\u001f\""},
		{"\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
		{"{\"a\\nb\":[{\"c\":\"\\ud83d\\ude00\"}]}", "{\"a\\nb\":[{\"c\":\"\xf0\x9f\x98\x80\"}]}"}
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(texts); i++)
	{
		IotDataJson *document = parse_string(texts[i].text);
		IotDataJsonValue root = iotdata_json_root(document);
		size_t		size = iotdata_json_text_size(root);
		char	   *storage = malloc(size);
		IotDataBuffer out;

		iotdata_buffer_init(&out, storage, size);
		iotdata_json_write(&out, root);
		assert_false(out.overflowed);
		assert_string_equal(storage, texts[i].written);
		free(storage);
		iotdata_json_free(document);
	}
}

static void
elements_are_found_in_any_order(void **state)
{
	IotDataJson *document = parse_string("[[0,[9]],{\"a\":[1]},2,[3],[[4]],5]");
	IotDataJsonValue root = iotdata_json_root(document);
	static const size_t order[] = {5, 0, 3, 3, 2, 5, 1, 4, 0};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(order); i++)
	{
		IotDataJsonValue element = iotdata_json_element(root, order[i]);

		if (element.type == IOTDATA_JSON_OBJECT)
			element = iotdata_json_member(element, "a");
		while (element.type == IOTDATA_JSON_ARRAY)
			element = iotdata_json_element(element, 0);
		assert_int_equal(element.integer, order[i]);
	}
	iotdata_json_free(document);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_json_is_taken),
		cmocka_unit_test(invalid_json_is_refused),
		cmocka_unit_test(json_that_is_cut_off_is_refused),
		cmocka_unit_test(every_byte_outside_strings_is_taken_or_refused_as_json_says),
		cmocka_unit_test(every_byte_within_strings_is_taken_or_refused_as_json_says),
		cmocka_unit_test(every_second_byte_of_utf8_is_taken_or_refused_as_utf8_says),
		cmocka_unit_test(every_surrogate_needs_its_other_half),
		cmocka_unit_test(numbers_keep_their_values),
		cmocka_unit_test(strings_keep_their_bytes),
		cmocka_unit_test(each_value_has_its_type),
		cmocka_unit_test(null_alone_is_a_document),
		cmocka_unit_test(elements_are_counted_from_zero),
		cmocka_unit_test(only_objects_have_members_and_only_arrays_elements),
		cmocka_unit_test(the_last_of_members_of_one_name_counts),
		cmocka_unit_test(nesting_goes_32_levels_deep),
		cmocka_unit_test(brackets_that_are_closed_do_not_count_as_nesting),
		cmocka_unit_test(a_comma_locale_changes_no_number),
		cmocka_unit_test(long_texts_take_linear_time),
		cmocka_unit_test(texts_of_two_gigabytes_are_refused),
		cmocka_unit_test(a_place_is_written_as_it_was_read),
		cmocka_unit_test(elements_are_found_in_any_order),
		cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
