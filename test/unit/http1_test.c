/*
 * http1_test.c
 *		Responses of HTTP/1: what is read from each does not depend on how it is
 *		split.
 *
 * Each case is fed at once, byte by byte, with every split in two, and, if it
 * is short, with every two splits. The values to try are those that the tests
 * of well-known parsers try, too.
 */
#include "unit.h"

#include "aws/http1.h"

#define MAX_BODY 100

#define OK "HTTP/1.1 200 OK\r\n"
#define FIFTY "01234567890123456789012345678901234567890123456789"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* two splits of anything longer would take too long */
#define SHORT 120

typedef struct Case
{
	const char *what;
	const char *bytes;
	size_t		length;
	IotDataHttp1State state;	/* once the connection has been closed */
	int			http_status;	/* of a complete one, like what follows */
	const char *body;
	bool		closes;			/* no other request after it */
} Case;

#define COMPLETE IOTDATA_HTTP1_COMPLETE
#define INCOMPLETE IOTDATA_HTTP1_INCOMPLETE
#define MALFORMED IOTDATA_HTTP1_MALFORMED
#define TOO_LARGE IOTDATA_HTTP1_TOO_LARGE

/* one that is read, and leaves the connection open or not */
#define READ(what, bytes, http_status, body) \
	{what, bytes, sizeof(bytes) - 1, COMPLETE, http_status, body, false}
#define READ_CLOSES(what, bytes, http_status, body) \
	{what, bytes, sizeof(bytes) - 1, COMPLETE, http_status, body, true}
#define FAILS(what, bytes, state) \
	{what, bytes, sizeof(bytes) - 1, state, 0, "", false}

static const Case bodies[] = {
	READ("a length", OK "Content-Length: 5\r\n\r\nhello", 200, "hello"),
	READ("length 0", OK "Content-Length: 0\r\n\r\n", 200, ""),
	READ("a length with zeros", OK "Content-Length: 0005\r\n\r\nhello", 200, "hello"),
	READ("a length with blanks around", OK "Content-Length: \t 5\t \r\n\r\nhello", 200, "hello"),
	READ("no blank after the colon", OK "content-length:5\r\n\r\nhello", 200, "hello"),
	READ("the same length twice", OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
	READ("the largest body", OK "Content-Length: 100\r\n\r\n" FIFTY FIFTY, 200, FIFTY FIFTY),
	READ_CLOSES("to the close", OK "\r\nhello", 200, "hello"),
	READ_CLOSES("to the close, empty", OK "\r\n", 200, ""),
	READ_CLOSES("to the close, though it says keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK", 200, "HTTP/1.0 200 OK"),
	READ_CLOSES("what looks like a second one to the close", OK "\r\nHTTP/1.1 200 OK\r\n", 200, "HTTP/1.1 200 OK\r\n"),
	READ("204", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
	READ("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, ""),
	READ("204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, ""),
	READ("304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304, ""),
	READ("404", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", 404, "{}"),
	READ("a status that is not defined", "HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n", 999, ""),
	READ("no reason", "HTTP/1.1 301\r\nContent-Length: 0\r\n\r\n", 301, ""),
	READ("an empty reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, ""),
	READ("a reason with blanks and bytes beyond ASCII", "HTTP/1.1 200  O\tK \xff\r\nContent-Length: 0\r\n\r\n", 200, ""),
	READ("an interim response", "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 5\r\n\r\nhello", 200, "hello"),
	READ("interim responses with headers", "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 102\r\nConnection: close\r\n"
		 "Content-Length: 7\r\n\r\n" OK "Content-Length: 5\r\n\r\nhello", 200, "hello"),
	READ("lines that end with LF alone", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello"),
	READ("lines with either end", "HTTP/1.1 200 OK\nContent-Length: 5\r\nA: b\n\r\nhello", 200, "hello"),
	READ("an empty header", OK "X:\r\nContent-Length: 0\r\n\r\n", 200, ""),
	READ("a header of blanks", OK "X: \t \r\nContent-Length: 0\r\n\r\n", 200, ""),
	READ("all that a name may have", OK "!#$%&'*+-.^_`|~09azAZ: x\r\nContent-Length: 0\r\n\r\n", 200, ""),
	READ("names that begin like others", OK "Content-Length-X: 9\r\nContent-Lengt: 8\r\nX-Transfer-Encoding: gzip\r\n"
		 "Content-Length: 2\r\n\r\nOK", 200, "OK")
};

static const Case chunks[] = {
	READ("chunks", CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 200, "hello world"),
	READ("no chunk", CHUNKED "0\r\n\r\n", 200, ""),
	READ("coding in upper case", OK "transfer-encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, "hello"),
	READ("sizes in hex of either case", CHUNKED "a\r\n0123456789\r\nB\r\n0123456789a\r\n000\r\n\r\n", 200, "01234567890123456789a"),
	READ("a size of 16 digits", CHUNKED "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", 200, "hello"),
	READ("line ends within a chunk", CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", 200, "\r\n\r\n"),
	READ("extensions", CHUNKED "5;a;b=c;d=\"e; f\"\r\nhello\r\n1 ; x\r\n!\r\n0;z\r\n\r\n", 200, "hello!"),
	READ("an extension of nothing", CHUNKED "5;\r\nhello\r\n0\r\n\r\n", 200, "hello"),
	READ("trailers", CHUNKED "5\r\nhello\r\n0\r\nX-One: 1\r\nContent-Length: 77\r\n\r\n", 200, "hello"),
	READ("trailers that end with LF", CHUNKED "5\r\nhello\r\n0\r\nX: 1\n\n", 200, "hello"),
	READ("an interim response first", "HTTP/1.1 100\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKED "2\r\nOK\r\n0\r\n\r\n", 200, "OK"),
	FAILS("a size that is no number", CHUNKED "zzzz\r\n", MALFORMED),
	FAILS("a size with a sign", CHUNKED "+5\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a negative size", CHUNKED "-5\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a size with 0x", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a size with a blank before", CHUNKED " 5\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a size with blanks behind", CHUNKED "5  \r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("an extension without a semicolon", CHUNKED "5 abc\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("no size", CHUNKED "\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a size of 17 digits", CHUNKED "00000000000000005\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a size that wraps to 5", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a size of 64 bits", CHUNKED "ffffffffffffffff\r\nhello", TOO_LARGE),
	FAILS("a chunk that is longer", CHUNKED "4\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a chunk that is shorter", CHUNKED "6\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a size that ends with LF", CHUNKED "5\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a chunk that ends with LF", CHUNKED "5\r\nhello\n0\r\n\r\n", MALFORMED),
	FAILS("a control character in an extension", CHUNKED "5;a\x01\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("CR in an extension", CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", MALFORMED),
	FAILS("a trailer that is none", CHUNKED "0\r\nX\r\n\r\n", MALFORMED),
	FAILS("a folded trailer", CHUNKED "0\r\nX: 1\r\n 2\r\n\r\n", MALFORMED),
	FAILS("no last chunk", CHUNKED "5\r\nhello\r\n", INCOMPLETE),
	FAILS("no end after the last chunk", CHUNKED "5\r\nhello\r\n0\r\n", INCOMPLETE),
	FAILS("a chunk that is cut", CHUNKED "20\r\nhello", INCOMPLETE),
	FAILS("chunks of more than a body may have", CHUNKED "32\r\n01234567890123456789012345678901234567890123456789\r\n33\r\n", TOO_LARGE),
	FAILS("more after the trailers", CHUNKED "0\r\n\r\n\r\n", MALFORMED)
};

static const Case refused[] = {
	FAILS("nothing", "", INCOMPLETE),
	FAILS("half a status line", "HTTP/1.1 2", INCOMPLETE),
	FAILS("half a head", OK "Content-Le", INCOMPLETE),
	FAILS("half a body", OK "Content-Length: 6\r\n\r\nhello", INCOMPLETE),
	FAILS("an interim response alone", "HTTP/1.1 100 Continue\r\n\r\n", INCOMPLETE),
	FAILS("a body that is too large", OK "Content-Length: 101\r\n\r\n", TOO_LARGE),
	FAILS("a body that is too large to the close", OK "\r\n" FIFTY FIFTY "0", TOO_LARGE),
	FAILS("a length of 64 bits", OK "Content-Length: 18446744073709551615\r\n\r\n", TOO_LARGE),
	FAILS("a length of more than 64 bits", OK "Content-Length: 18446744073709551616\r\n\r\n", MALFORMED),
	FAILS("a length that wraps to 5", OK "Content-Length: 18446744073709551621\r\n\r\nhello", MALFORMED),
	FAILS("a length with a sign", OK "Content-Length: +5\r\n\r\nhello", MALFORMED),
	FAILS("a negative length", OK "Content-Length: -5\r\n\r\nhello", MALFORMED),
	FAILS("a length in hex", OK "Content-Length: 0x5\r\n\r\nhello", MALFORMED),
	FAILS("a length with a fraction", OK "Content-Length: 5.0\r\n\r\nhello", MALFORMED),
	FAILS("a length with blanks within", OK "Content-Length: 5 0\r\n\r\nhello", MALFORMED),
	FAILS("an empty length", OK "Content-Length:\r\n\r\nhello", MALFORMED),
	FAILS("a list of lengths", OK "Content-Length: 5, 5\r\n\r\nhello", MALFORMED),
	FAILS("two lengths", OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", MALFORMED),
	FAILS("a length and chunks", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", MALFORMED),
	FAILS("chunks and a length", OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", MALFORMED),
	FAILS("another transfer coding", OK "Transfer-Encoding: gzip\r\n\r\n", MALFORMED),
	FAILS("identity", OK "Transfer-Encoding: identity\r\n\r\nhello", MALFORMED),
	FAILS("gzip and chunks", OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", MALFORMED),
	FAILS("chunks and gzip", OK "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", MALFORMED),
	FAILS("chunks twice", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", MALFORMED),
	FAILS("chunkedchunked", OK "Transfer-Encoding: chunkedchunked\r\n\r\n0\r\n\r\n", MALFORMED),
	FAILS("an empty transfer coding", OK "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello", MALFORMED),
	FAILS("chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", MALFORMED),
	FAILS("101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", MALFORMED),
	FAILS("a folded header", OK "X: 1\r\n 2\r\n\r\n", MALFORMED),
	FAILS("a folded length", OK "Content-Length: 1\r\n\t0\r\n\r\n0123456789", MALFORMED),
	FAILS("a blank after the status line", OK " Content-Length: 5\r\n\r\nhello", MALFORMED),
	FAILS("a line of blanks", OK " \r\n\r\n", MALFORMED),
	FAILS("a blank before the colon", OK "Content-Length : 5\r\n\r\nhello", MALFORMED),
	FAILS("no colon", OK "Content-Length\r\n\r\n", MALFORMED),
	FAILS("no name", OK ": 5\r\n\r\n", MALFORMED),
	FAILS("a blank in a name", OK "Content Length: 5\r\n\r\nhello", MALFORMED),
	FAILS("a name beyond ASCII", OK "X\xc3\xa9: 5\r\n\r\n", MALFORMED),
	FAILS("a bare CR in a value", OK "A: 1\rB: 2\r\n\r\n", MALFORMED),
	FAILS("a bare CR at the end of a value", OK "A: 1\r\r\n\r\n", MALFORMED),
	FAILS("a bare CR for a line end", OK "A: 1\r\rB: 2\r\n\r\n", MALFORMED),
	FAILS("a bare CR in the status line", "HTTP/1.1 200 O\rK\r\n\r\n", MALFORMED),
	FAILS("CR for the empty line", OK "A: 1\r\n\r\r\n", MALFORMED),
	FAILS("DEL in a value", OK "A: 1\x7f\r\n\r\n", MALFORMED),
	FAILS("ESC in the reason", "HTTP/1.1 200 \x1b[0m\r\n\r\n", MALFORMED),
	FAILS("NUL in a value", OK "A: 1\0002\r\n\r\n", MALFORMED),
	FAILS("NUL in a name", OK "A\000: 1\r\n\r\n", MALFORMED),
	FAILS("NUL in the status line", "HTTP/1.1 200 O\000K\r\n\r\n", MALFORMED),
	FAILS("NUL at the beginning", "\000HTTP/1.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("another protocol", "SSH-2.0-OpenSSH_9.2\r\n", MALFORMED),
	FAILS("another protocol, its first byte", "S", MALFORMED),
	FAILS("an empty line first", "\r\n" OK "Content-Length: 0\r\n\r\n", MALFORMED),
	FAILS("CR first", "\rHTTP/1.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("a letter is missing", "HTP/1.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("letters are too many", "HTTPER/1.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("lower case", "http/1.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("RTSP", "RTSP/1.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("ICY", "ICY 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/0.9", "HTTP/0.9 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/2", "HTTP/2 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/5.6", "HTTP/5.6 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/01.1", "HTTP/01.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/11.1", "HTTP/11.1 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/1.01", "HTTP/1.01 200 OK\r\n\r\n", MALFORMED),
	FAILS("HTTP/1.", "HTTP/1. 200 OK\r\n\r\n", MALFORMED),
	FAILS("a tab after the version", "HTTP/1.1\t200 OK\r\n\r\n", MALFORMED),
	FAILS("two blanks after the version", "HTTP/1.1  200 OK\r\n\r\n", MALFORMED),
	FAILS("no status", "HTTP/1.1\r\n\r\n", MALFORMED),
	FAILS("a status of one digit", "HTTP/1.1 2 OK\r\n\r\n", MALFORMED),
	FAILS("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", MALFORMED),
	FAILS("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", MALFORMED),
	FAILS("a status below 100", "HTTP/1.1 099 OK\r\n\r\n", MALFORMED),
	FAILS("a status of letters", "HTTP/1.1 abc OK\r\n\r\n", MALFORMED),
	FAILS("a status with a sign", "HTTP/1.1 +20 OK\r\n\r\n", MALFORMED),
	FAILS("no blank before the reason", "HTTP/1.1 200OK\r\n\r\n", MALFORMED),
	FAILS("a second response", OK "Content-Length: 3\r\n\r\nAAA" OK "Content-Length: 4\r\n\r\nBBBB", MALFORMED),
	FAILS("a second response after 204", "HTTP/1.1 204 No Content\r\n\r\n" OK "\r\n", MALFORMED),
	FAILS("a body of 204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", MALFORMED),
	FAILS("a line end after the body", OK "Content-Length: 5\r\n\r\nhello\r\n", MALFORMED),
	FAILS("a byte after a body that closes", OK "Content-Length: 5\r\nConnection: close\r\n\r\nhello!", MALFORMED)
};

static const Case connections[] = {
	READ("1.1", OK "Content-Length: 0\r\n\r\n", 200, ""),
	READ_CLOSES("1.1, close", OK "Content-Length: 0\r\nConnection: close\r\n\r\n", 200, ""),
	READ_CLOSES("1.1, Close", OK "Content-Length: 0\r\nconnection:Close\r\n\r\n", 200, ""),
	READ("1.1, keep-alive", OK "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n", 200, ""),
	READ_CLOSES("1.1, close in a list", OK "Content-Length: 0\r\nConnection: x,\tclose , y\r\n\r\n", 200, ""),
	READ_CLOSES("1.1, close in a second header", OK "Content-Length: 0\r\nConnection: x\r\nConnection: close\r\n\r\n", 200, ""),
	READ_CLOSES("1.1, close and keep-alive", OK "Content-Length: 0\r\nConnection: close, keep-alive\r\n\r\n", 200, ""),
	READ("1.1, words with close in them", OK "Content-Length: 0\r\nConnection: closed, notclose, clos\r\n\r\n", 200, ""),
	READ_CLOSES("1.1, empty elements", OK "Content-Length: 0\r\nConnection: ,, ,close\r\n\r\n", 200, ""),
	READ("1.1, another header", OK "Content-Length: 0\r\nProxy-Connection: close\r\n\r\n", 200, ""),
	READ_CLOSES("1.1, 204, close", "HTTP/1.1 204 x\r\nConnection: close\r\n\r\n", 204, ""),
	READ_CLOSES("1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
	READ("1.0, keep-alive", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", 200, ""),
	READ("1.0, 204, keep-alive", "HTTP/1.0 204 x\r\nConnection: keep-alive\r\n\r\n", 204, ""),
	READ_CLOSES("1.0, keep-alive and close", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, close\r\n\r\n", 200, ""),
	READ_CLOSES("1.0, an interim response of 1.1", "HTTP/1.1 100\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "")
};

/* ---- how a case is fed ---- */

/* Where a piece ends; the last one ends with the input. */
typedef struct Splits
{
	size_t		first;
	size_t		second;
} Splits;

static Splits
split_at(size_t first, size_t second)
{
	Splits		splits = {first, second};

	return splits;
}

static void
feed(IotDataHttp1 *response, const char *bytes, size_t from, size_t to)
{
	char	   *copy = exact_copy(bytes + from, to - from);

	iotdata_http1_feed(response, copy, to - from);
	free(copy);
}

static void
read_with_splits(IotDataHttp1 *response, const char *bytes, size_t length, Splits splits)
{
	iotdata_http1_init(response, MAX_BODY);
	feed(response, bytes, 0, splits.first);
	feed(response, bytes, splits.first, splits.second);
	feed(response, bytes, splits.second, length);
	iotdata_http1_end(response);
}

static void
read_byte_by_byte(IotDataHttp1 *response, const char *bytes, size_t length)
{
	iotdata_http1_init(response, MAX_BODY);
	for (size_t i = 0; i < length; i++)
		feed(response, bytes, i, i + 1);
	iotdata_http1_end(response);
}

static bool
same_text(const char *one, const char *other)
{
	return (one == NULL) == (other == NULL) && (one == NULL || strcmp(one, other) == 0);
}

/* Is this what was read at once? */
static bool
is_same(const IotDataHttp1 *response, const IotDataHttp1 *whole)
{
	static const char *const headers[] = {"content-length", "connection", "X", "a", "keep-alive"};
	size_t		length;
	size_t		whole_length;
	const char *body = iotdata_http1_body(response, &length);
	const char *whole_body = iotdata_http1_body(whole, &whole_length);

	if (response->state != whole->state ||
		iotdata_http1_problem(response) != iotdata_http1_problem(whole))
		return false;
	if (response->state != COMPLETE)
		return true;
	for (size_t i = 0; i < LENGTH_OF(headers); i++)
	{
		if (!same_text(iotdata_http1_header(response, headers[i]), iotdata_http1_header(whole, headers[i])))
			return false;
	}
	return length == whole_length && memcmp(body, whole_body, length) == 0 &&
		iotdata_http1_status(response) == iotdata_http1_status(whole) &&
		iotdata_http1_keeps_alive(response) == iotdata_http1_keeps_alive(whole);
}

static void
check_whole(const Case *expected, const IotDataHttp1 *whole)
{
	size_t		length;
	const char *body = iotdata_http1_body(whole, &length);

	if (whole->state != expected->state)
		fail_msg("%s: the state is %d", expected->what, (int) whole->state);
	if ((whole->state == MALFORMED) != (iotdata_http1_problem(whole) != NULL))
		fail_msg("%s: the problem", expected->what);
	if (whole->state != COMPLETE)
		return;
	if (length != strlen(expected->body) || memcmp(body, expected->body, length) != 0)
		fail_msg("%s: the body is %.*s", expected->what, (int) length, body);
	if (iotdata_http1_status(whole) != expected->http_status)
		fail_msg("%s: the status is %d", expected->what, iotdata_http1_status(whole));
	if (iotdata_http1_keeps_alive(whole) == expected->closes)
		fail_msg("%s: whether the connection stays", expected->what);
}

static void
check_splits(const Case *expected, const char *bytes, size_t length, const IotDataHttp1 *whole)
{
	IotDataHttp1 response;

	read_byte_by_byte(&response, bytes, length);
	if (!is_same(&response, whole))
		fail_msg("%s: byte by byte", expected->what);
	iotdata_http1_free(&response);
	for (size_t first = 0; first <= length; first++)
	{
		for (size_t second = length <= SHORT ? first : length; second <= length; second++)
		{
			read_with_splits(&response, bytes, length, split_at(first, second));
			if (!is_same(&response, whole))
				fail_msg("%s: split at %zu and %zu", expected->what, first, second);
			iotdata_http1_free(&response);
		}
	}
}

static void
check_cases(const Case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		const Case *expected = &cases[i];
		size_t		length = expected->length;
		IotDataHttp1 whole;

		read_with_splits(&whole, expected->bytes, length, split_at(length, length));
		check_whole(expected, &whole);
		check_splits(expected, expected->bytes, length, &whole);
		iotdata_http1_free(&whole);
	}
}

static void
bodies_are_read_to_their_end(void **state)
{
	(void) state;
	check_cases(bodies, LENGTH_OF(bodies));
}

static void
chunks_are_put_together(void **state)
{
	(void) state;
	check_cases(chunks, LENGTH_OF(chunks));
}

static void
what_could_be_read_in_two_ways_is_refused(void **state)
{
	(void) state;
	check_cases(refused, LENGTH_OF(refused));
}

static void
connections_stay_by_version_and_header(void **state)
{
	(void) state;
	check_cases(connections, LENGTH_OF(connections));
}

/* ---- headers ---- */

static void
headers_are_found_whatever_their_case(void **state)
{
	static const char bytes[] = "HTTP/1.1 103\r\nx-early: 1\r\n\r\n" OK
		"x-amzn-RequestId: \t one two\xff \r\nEmpty:\r\nTwice: first\r\nTWICE: second\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: 1\r\n\r\n";
	IotDataHttp1 response;

	(void) state;
	read_with_splits(&response, bytes, strlen(bytes), split_at(0, 0));
	assert_int_equal(response.state, COMPLETE);
	assert_string_equal(iotdata_http1_header(&response, "X-Amzn-Requestid"), "one two\xff");
	assert_string_equal(iotdata_http1_header(&response, "empty"), "");
	assert_string_equal(iotdata_http1_header(&response, "twice"), "first");
	assert_null(iotdata_http1_header(&response, "x-early"));
	assert_null(iotdata_http1_header(&response, "trailer"));
	assert_null(iotdata_http1_header(&response, "x-amzn-request"));
	assert_null(iotdata_http1_header(&response, "x-amzn-requestid-2"));
	assert_null(iotdata_http1_header(&response, "one two\xff"));
	iotdata_http1_free(&response);
}

/* What is read from "Keep-Alive: VALUE". */
static int
idle_seconds(const char *value)
{
	char		bytes[200];
	IotDataHttp1 response;
	int			seconds;

	snprintf(bytes, sizeof(bytes), OK "Content-Length: 0\r\n%s\r\n\r\n", value);
	read_with_splits(&response, bytes, strlen(bytes), split_at(0, 0));
	assert_int_equal(response.state, COMPLETE);
	seconds = iotdata_http1_idle_seconds(&response);
	iotdata_http1_free(&response);
	return seconds;
}

static void
a_server_may_say_how_long_it_waits(void **state)
{
	(void) state;
	assert_int_equal(idle_seconds("Keep-Alive: timeout=5"), 5);
	assert_int_equal(idle_seconds("keep-alive: TIMEOUT=75, max=100"), 75);
	assert_int_equal(idle_seconds("Keep-Alive: max=100,timeout=0"), 0);
	assert_int_equal(idle_seconds("Keep-Alive: timeout=999999"), 86400);
	assert_int_equal(idle_seconds("Keep-Alive: timeout=99999999999999999999"), -1);
	assert_int_equal(idle_seconds("Keep-Alive: timeout="), -1);
	assert_int_equal(idle_seconds("Keep-Alive: timeout=5s"), -1);
	assert_int_equal(idle_seconds("Keep-Alive: timeout=-5"), -1);
	assert_int_equal(idle_seconds("Keep-Alive: mytimeout=5"), -1);
	assert_int_equal(idle_seconds("Keep-Alive: 5"), -1);
	assert_int_equal(idle_seconds("Keep-Alive:"), -1);
	assert_int_equal(idle_seconds("Connection: keep-alive"), -1);
}

/* ---- limits ---- */

/* A text that is "times" times the same. To be freed. */
static char *
repeated(const char *text, size_t times)
{
	size_t		length = strlen(text);
	char	   *all = malloc(length * times + 1);

	assert_non_null(all);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * length, text, length);
	all[length * times] = '\0';
	return all;
}

/* The state after a beginning, a text again and again, and an end; in pieces. */
static IotDataHttp1State
state_after(const char *begin, const char *text, size_t times, const char *end, size_t piece)
{
	char	   *middle = repeated(text, times);
	char	   *all = malloc(strlen(begin) + strlen(middle) + strlen(end) + 1);
	IotDataHttp1 response;
	IotDataHttp1State result;
	size_t		length;

	assert_non_null(all);
	length = (size_t) sprintf(all, "%s%s%s", begin, middle, end);
	iotdata_http1_init(&response, 2 * 1024 * 1024);
	for (size_t at = 0; at < length; at += piece)
		iotdata_http1_feed(&response, all + at, length - at < piece ? length - at : piece);
	result = response.state;
	if (result == MALFORMED)
		assert_string_equal(iotdata_http1_problem(&response), "its head is too long");
	iotdata_http1_free(&response);
	free(middle);
	free(all);
	return result;
}

static void
a_head_has_64_kilobytes_at_the_most(void **state)
{
	static const size_t pieces[] = {1, 2, 1000, 16384, 65535, 65536, 65537, SIZE_MAX / 2};
	const char *end = "Content-Length: 0\r\n\r\n";
	const size_t most = 64 * 1024;
	const size_t rest = most - strlen(OK "X: \r\n") - strlen(end);

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(pieces); i++)
	{
		size_t		piece = pieces[i];

		assert_int_equal(state_after(OK "X: ", "x", rest, "\r\nContent-Length: 0\r\n\r\n", piece), COMPLETE);
		assert_int_equal(state_after(OK "X: ", "x", rest + 1, "\r\nContent-Length: 0\r\n\r\n", piece), MALFORMED);
		assert_int_equal(state_after(OK, "X: 1\r\n", most / 6, end, piece), MALFORMED);
		assert_int_equal(state_after("", "HTTP/1.1 100\r\n\r\n", most / 16 - 3, OK "Content-Length: 0\r\n\r\n", piece), COMPLETE);
		assert_int_equal(state_after("", "HTTP/1.1 100\r\n\r\n", most / 16, OK "Content-Length: 0\r\n\r\n", piece), MALFORMED);
		assert_int_equal(state_after(CHUNKED "0\r\n", "X: 1\r\n", most / 6, "\r\n", piece), MALFORMED);
		assert_int_equal(state_after(CHUNKED, "1;abc\r\nx\r\n", most / 4, "0\r\n\r\n", piece), MALFORMED);
		assert_int_equal(state_after("HTTP/1.1 200 ", "x", most, "\r\n", piece), MALFORMED);
	}
}

static void
a_large_body_may_come_in_chunks_of_a_byte(void **state)
{
	(void) state;
	assert_int_equal(state_after(CHUNKED, "1\r\nx\r\n", 1024 * 1024, "0\r\n\r\n", 4096), COMPLETE);
	assert_int_equal(state_after(CHUNKED, "1\r\nx\r\n", 2 * 1024 * 1024 + 1, "0\r\n\r\n", 4096), TOO_LARGE);
}

/* ---- memory ---- */

static int	failing = -1;		/* allocations until one fails; -1: none does */

extern void *__real_malloc(size_t size);
extern void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	if (failing >= 0 && failing-- == 0)
		return NULL;
	return __real_malloc(size);
}

static void
without_memory_it_says_so(void **state)
{
	static const char *const begin[] = {OK "\r\n", CHUNKED "ffff\r\n", OK "Content-Length: 70000\r\n\r\n"};
	char	   *text = repeated("x", 65535);
	IotDataHttp1 response;

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(begin); i++)
	{
		for (int fails = 0;; fails++)
		{
			iotdata_http1_init(&response, 1024 * 1024);
			failing = fails;
			iotdata_http1_feed(&response, begin[i], strlen(begin[i]));
			for (size_t at = 0; at < 65535; at += 1000)
				iotdata_http1_feed(&response, text + at, 65535 - at < 1000 ? 65535 - at : 1000);
			if (failing >= 0)
				break;
			assert_int_equal(response.state, IOTDATA_HTTP1_NO_MEMORY);
			iotdata_http1_free(&response);
		}
		assert_int_equal(response.state, INCOMPLETE);
		iotdata_http1_free(&response);
		failing = -1;
	}
	free(text);
}

static void
a_length_alone_takes_no_memory(void **state)
{
	static const char head[] = OK "Content-Length: 1000000000\r\n\r\nx";
	IotDataHttp1 response;

	(void) state;
	iotdata_http1_init(&response, 1000000000);
	iotdata_http1_feed(&response, head, strlen(head));
	assert_int_equal(response.state, INCOMPLETE);
	assert_within((int64_t) response.body_size, 1, 64 * 1024);
	iotdata_http1_free(&response);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_read_to_their_end),
		cmocka_unit_test(chunks_are_put_together),
		cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(connections_stay_by_version_and_header),
		cmocka_unit_test(headers_are_found_whatever_their_case),
		cmocka_unit_test(a_server_may_say_how_long_it_waits),
		cmocka_unit_test(a_head_has_64_kilobytes_at_the_most),
		cmocka_unit_test(a_large_body_may_come_in_chunks_of_a_byte),
		cmocka_unit_test(without_memory_it_says_so),
		cmocka_unit_test(a_length_alone_takes_no_memory),
	};

	return cmocka_run_group_tests_name("http1", tests, NULL, NULL);
}
