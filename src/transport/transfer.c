/*
 * transfer.c
 *		One HTTP transfer: an easy handle of libcurl and what it brought back.
 *
 * The struct, and everything that libcurl's callbacks touch, comes from
 * malloc: libcurl is never given memory that PostgreSQL could free first, and
 * a callback never meets an allocator that raises errors. The owning context's
 * reset callback frees it all.
 */
#include "postgres.h"

#include <poll.h>
#include <sys/socket.h>

#include "aws/error_name.h"
#include "compat.h"
#include "transport/multi.h"
#include "transport/transport.h"

#include <curl/curl.h>

/* bytes of an answer's head, all lines together, that are taken */
#define MAX_HEAD_LENGTH (64 * 1024)

struct IotDataTransfer
{
	dlist_node	node;			/* in *finished, once it has ended */
	dlist_head *finished;
	void	   *owner;
	CURL	   *easy;
	struct curl_slist *headers; /* of the request, in one piece of memory */
	IotDataTransferStatus status;
	bool		in_multi;
	bool		sent;			/* a connection was there for the request */
	bool		send_once;
	bool		head_complete;	/* of the answer, to its empty line */
	size_t		head_length;
	IotDataTransferStatus refused;	/* why a callback refused, or IDLE */
	const char *proxy;			/* in the environment */
	char	   *body;			/* body_size bytes, the first body_length used */
	size_t		body_length;
	size_t		body_size;
	size_t		max_body_length;
	char		reason[CURL_ERROR_SIZE];
};

/* The context's reset callback. */
static void
destroy_transfer(void *arg)
{
	IotDataTransfer *transfer = arg;

	if (transfer->in_multi)
		iotdata_multi_remove(transfer->easy);
	curl_easy_cleanup(transfer->easy);
	free(transfer->headers);
	free(transfer->body);
	free(transfer);
}

/* A line of the head that is longer than 100 KB. */
static bool
is_endless_line(const IotDataTransfer *transfer, CURLcode result)
{
	return result == IOTDATA_CURLE_LINE_TOO_LONG && transfer->sent && !transfer->head_complete;
}

/* What became of a transfer, in our terms. */
static IotDataTransferStatus
judge(const IotDataTransfer *transfer, CURLcode result)
{
	/* libcurl takes a head that breaks off for a whole one */
	if (result == CURLE_OK)
		return transfer->head_complete ? IOTDATA_TRANSFER_ANSWERED : IOTDATA_TRANSFER_LOST;
	if (transfer->refused != IOTDATA_TRANSFER_IDLE)
		return transfer->refused;
	if (is_endless_line(transfer, result))
		return IOTDATA_TRANSFER_MALFORMED;
	if (result == CURLE_FILESIZE_EXCEEDED)
		return IOTDATA_TRANSFER_TOO_LARGE;
	if (result == CURLE_OUT_OF_MEMORY)
		return IOTDATA_TRANSFER_NO_MEMORY;
	if (!transfer->sent)
		return IOTDATA_TRANSFER_UNREACHABLE;
	switch (result)
	{
		case CURLE_OPERATION_TIMEDOUT:
			return IOTDATA_TRANSFER_TIMED_OUT;
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_UNSUPPORTED_PROTOCOL:	/* no HTTP head at all */
		case CURLE_BAD_CONTENT_ENCODING:
		case CURLE_HTTP2:
		case CURLE_HTTP2_STREAM:
			return IOTDATA_TRANSFER_MALFORMED;
		default:
			return IOTDATA_TRANSFER_LOST;
	}
}

static void
end_transfer(IotDataTransfer *transfer, IotDataTransferStatus status)
{
	transfer->status = status;
	dlist_push_tail(transfer->finished, &transfer->node);
}

/* libcurl's reason, without the password that a proxy's URL may have. */
static void
note_reason(IotDataTransfer *transfer, CURLcode result)
{
	const char *reason = transfer->reason;

	if (result == CURLE_OK)
		reason = "The connection was closed within the head of the answer";
	else if (result == CURLE_ABORTED_BY_CALLBACK)
		reason = "The connection was closed without an answer";
	else if (transfer->refused == IOTDATA_TRANSFER_MALFORMED || is_endless_line(transfer, result))
		reason = "The head of the answer is too long";
	else if (reason[0] == '\0')
		reason = curl_easy_strerror(result);
	if (reason != transfer->reason)
		strlcpy(transfer->reason, reason, sizeof(transfer->reason));
	iotdata_redact(transfer->reason, strlen(transfer->reason),
				   transfer->proxy);
}

static void
transfer_finished(void *private_data, CURLcode result)
{
	IotDataTransfer *transfer = private_data;

	transfer->in_multi = false;
	if (result != CURLE_OK || !transfer->head_complete)
		note_reason(transfer, result);
	end_transfer(transfer, judge(transfer, result));
}

/* libcurl: here is a line of the answer's head. */
static size_t
take_head_line(char *line, size_t size, size_t count, void *arg)
{
	IotDataTransfer *transfer = arg;
	size_t		length = size * count;

	transfer->head_length += length;
	if (transfer->head_length > MAX_HEAD_LENGTH)
	{
		transfer->refused = IOTDATA_TRANSFER_MALFORMED;
		return CURL_WRITEFUNC_ERROR;
	}
	if (line[0] == '\r' || line[0] == '\n')
		transfer->head_complete = true;
	else if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
		transfer->head_complete = false;	/* the one before was a 1xx */
	return length;
}

/* libcurl: here is more of the body. */
static size_t
take_body(char *bytes, size_t size, size_t count, void *arg)
{
	IotDataTransfer *transfer = arg;
	size_t		length = size * count;

	if (length > transfer->max_body_length - transfer->body_length)
	{
		transfer->refused = IOTDATA_TRANSFER_TOO_LARGE;
		return CURL_WRITEFUNC_ERROR;
	}
	if (transfer->body_length + length > transfer->body_size)
	{
		size_t		wanted = Max(transfer->body_size * 2,
								 transfer->body_length + length);
		char	   *body = realloc(transfer->body, wanted);

		if (body == NULL)
		{
			transfer->refused = IOTDATA_TRANSFER_NO_MEMORY;
			return CURL_WRITEFUNC_ERROR;
		}
		transfer->body = body;
		transfer->body_size = wanted;
	}
	memcpy(transfer->body + transfer->body_length, bytes, length);
	transfer->body_length += length;
	return length;
}

/*
 * The socket of a kept connection that the other side has ended, or
 * CURL_SOCKET_BAD. Not all versions of libcurl look before they use one again.
 * What is sent then may never be answered, and of an action nobody could say
 * whether it happened.
 */
static curl_socket_t
ended_socket(const IotDataTransfer *transfer)
{
	struct pollfd watched = {.fd = CURL_SOCKET_BAD, .events = POLLRDHUP};
	long		opened = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened);
	curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &watched.fd);
	return opened == 0 && poll(&watched, 1, 0) == 1 ? watched.fd : CURL_SOCKET_BAD;
}

/*
 * libcurl: the connection stands, the request goes out now.
 *
 * An action is not sent on a kept connection that has ended: it is shut, and
 * libcurl opens another one and comes here again. (Of a read libcurl finds out,
 * and sends it again.)
 *
 * libcurl sends a request again by itself when a kept connection breaks
 * without an answer. For an action that would be a message delivered twice:
 * its second sending is refused here.
 */
static int
about_to_send(void *arg, char *remote_ip, char *local_ip, int remote_port,
			  int local_port)
{
	IotDataTransfer *transfer = arg;
	curl_socket_t ended = transfer->send_once ? ended_socket(transfer) : CURL_SOCKET_BAD;

	if (ended != CURL_SOCKET_BAD)
	{
		shutdown(ended, SHUT_RDWR);
		return CURL_PREREQFUNC_OK;
	}
	if (transfer->sent && transfer->send_once)
		return CURL_PREREQFUNC_ABORT;
	transfer->sent = true;
	return CURL_PREREQFUNC_OK;
}

/*
 * The proxy for a request: HTTPS_PROXY counts for https, as it does with
 * AWS's own clients, and nothing for loopback. NO_PROXY is libcurl's to read.
 */
static const char *
find_proxy(const IotDataEndpoint *endpoint)
{
	const char *proxy;

	if (!endpoint->https || endpoint->loopback)
		return "";
	proxy = getenv("https_proxy");
	if (proxy == NULL)
		proxy = getenv("HTTPS_PROXY");
	return proxy != NULL ? proxy : "";
}

#define SET(option, value) \
	do { \
		CURLcode	code_ = curl_easy_setopt(easy, option, value); \
		if (code_ != CURLE_OK) \
			return code_; \
	} while (0)

/* What is the same for all transfers. */
static CURLcode
set_constants(IotDataTransfer *transfer)
{
	CURL	   *easy = transfer->easy;

	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->reason);
	SET(CURLOPT_HEADERFUNCTION, take_head_line);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_PREREQFUNCTION, about_to_send);
	SET(CURLOPT_PREREQDATA, transfer);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* a name that is being resolved does not hold up a cancel */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* or a client ID such as ".." would change the path */
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* answers are small; libcurl allocates one anew for each transfer */
	SET(CURLOPT_BUFFERSIZE, 4096L);
	SET(CURLOPT_USERAGENT, "iotdata/" IOTDATA_VERSION);
	return CURLE_OK;
}

static bool
is_post(const IotDataTransferRequest *request)
{
	return strcmp(request->method, "POST") == 0;
}

static CURLcode
set_body(IotDataTransfer *transfer, const IotDataTransferRequest *request)
{
	CURL	   *easy = transfer->easy;

	if (strcmp(request->method, "GET") == 0)
		return CURLE_OK;
	if (!is_post(request))
	{
		SET(CURLOPT_CUSTOMREQUEST, request->method);
		return CURLE_OK;
	}
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_length);
	SET(CURLOPT_COPYPOSTFIELDS,
		request->body_length > 0 ? request->body : "");
	return CURLE_OK;
}

/* headers that libcurl adds to a POST and the service has no use for */
static const IotDataHeader unwanted[] = {{"Content-Type", ""}, {"Expect", ""}};

/* A header's line goes to "text"; what is behind it is returned. */
static char *
write_header(char *text, const IotDataHeader *header)
{
	size_t		length = strlen(header->name);

	memcpy(text, header->name, length);
	text += length;
	*text++ = ':';
	length = strlen(header->value);
	/* nothing after the colon has libcurl leave out the header */
	if (length > 0)
		*text++ = ' ';
	memcpy(text, header->value, length + 1);
	return text + length + 1;
}

/*
 * The list of headers as libcurl reads it, nodes and texts in one piece of
 * memory: libcurl neither copies nor frees it.
 */
static CURLcode
set_headers(IotDataTransfer *transfer, const IotDataTransferRequest *request)
{
	CURL	   *easy = transfer->easy;
	int			nunwanted = is_post(request) ? (int) lengthof(unwanted) : 0;
	int			count = nunwanted + request->nheaders;
	const IotDataHeader *headers[lengthof(unwanted) + IOTDATA_SIGV4_MAX_HEADERS];
	size_t		size = count * sizeof(struct curl_slist);
	char	   *text;

	Assert(request->nheaders <= IOTDATA_SIGV4_MAX_HEADERS);
	for (int i = 0; i < count; i++)
	{
		headers[i] = i < nunwanted ? &unwanted[i] : &request->headers[i - nunwanted];
		size += strlen(headers[i]->name) + strlen(headers[i]->value) + 3;
	}
	transfer->headers = malloc(size);
	if (transfer->headers == NULL)
		return CURLE_OUT_OF_MEMORY;
	text = (char *) (transfer->headers + count);
	for (int i = 0; i < count; i++)
	{
		transfer->headers[i].data = text;
		transfer->headers[i].next = i + 1 < count ? &transfer->headers[i + 1] : NULL;
		text = write_header(text, headers[i]);
	}
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	return CURLE_OK;
}

static CURLcode
set_request(IotDataTransfer *transfer, const IotDataTransferRequest *request)
{
	CURL	   *easy = transfer->easy;
	const IotDataEndpoint *endpoint = request->endpoint;
	CURLcode	result;

	SET(CURLOPT_URL, psprintf("%s://%s%s", endpoint->https ? "https" : "http",
							  endpoint->authority, request->path_and_query));
	transfer->proxy = find_proxy(endpoint);
	SET(CURLOPT_PROXY, transfer->proxy);
	if (request->ca_file[0] != '\0')
	{
		SET(CURLOPT_CAINFO, request->ca_file);
		SET(CURLOPT_CAPATH, NULL);
	}
	/* a server may offer HTTP/2: the first connection tells, the others wait */
	SET(CURLOPT_PIPEWAIT, endpoint->https ? 1L : 0L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout);
	SET(CURLOPT_TIMEOUT_MS, request->timeout);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) request->max_response_size);
	transfer->max_body_length = request->max_response_size;
	transfer->send_once = request->send_once;
	result = set_body(transfer, request);
	if (result != CURLE_OK)
		return result;
	return set_headers(transfer, request);
}

IotDataTransfer *
iotdata_transfer_create(MemoryContext context)
{
	MemoryContextCallback *callback;
	IotDataTransfer *transfer;

	callback = MemoryContextAlloc(context, sizeof(*callback));
	transfer = calloc(1, sizeof(*transfer));
	if (transfer == NULL)
		return NULL;
	callback->func = destroy_transfer;
	callback->arg = transfer;
	MemoryContextRegisterResetCallback(context, callback);

	/*
	 * A new handle for each transfer: libcurl before 8.1.1 lets one that is
	 * used again write to freed memory when the head of an answer begins with
	 * a line that continues another.
	 */
	transfer->easy = curl_easy_init();
	return transfer->easy != NULL ? transfer : NULL;
}

void
iotdata_transfer_start(IotDataTransfer *transfer,
					   const IotDataTransferRequest *request,
					   dlist_head *finished, void *owner)
{
	CURLcode	result = set_constants(transfer);

	transfer->finished = finished;
	transfer->owner = owner;
	if (result == CURLE_OK)
		result = set_request(transfer, request);
	if (result != CURLE_OK)
	{
		note_reason(transfer, result);
		end_transfer(transfer, result == CURLE_OUT_OF_MEMORY ?
					 IOTDATA_TRANSFER_NO_MEMORY : IOTDATA_TRANSFER_FAILED);
		return;
	}
	transfer->status = IOTDATA_TRANSFER_RUNNING;
	transfer->in_multi = true;
	if (iotdata_multi_add(transfer->easy) != CURLM_OK)
	{
		transfer->in_multi = false;
		end_transfer(transfer, IOTDATA_TRANSFER_NO_MEMORY);
	}
}

bool
iotdata_transport_open(int connections)
{
	if (!iotdata_multi_open(transfer_finished))
		return false;
	iotdata_multi_keep(connections);
	return true;
}

void
iotdata_transport_wait(long timeout, uint32 wait_event)
{
	iotdata_multi_wait(timeout, wait_event);
}

void *
iotdata_transfer_pop(dlist_head *finished)
{
	dlist_node *node;

	if (dlist_is_empty(finished))
		return NULL;
	node = dlist_pop_head_node(finished);
	return dlist_container(IotDataTransfer, node, node)->owner;
}

IotDataTransferStatus
iotdata_transfer_status(const IotDataTransfer *transfer)
{
	return transfer->status;
}

bool
iotdata_transfer_was_sent(const IotDataTransfer *transfer)
{
	return transfer->sent;
}

const char *
iotdata_transfer_reason(const IotDataTransfer *transfer)
{
	return transfer->reason;
}

int
iotdata_transfer_http_status(const IotDataTransfer *transfer)
{
	long		status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int) status;
}

const char *
iotdata_transfer_header(const IotDataTransfer *transfer, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1,
						 &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

const char *
iotdata_transfer_body(const IotDataTransfer *transfer, size_t *length)
{
	*length = transfer->body_length;
	return transfer->body != NULL ? transfer->body : "";
}

time_t
iotdata_transfer_date(const IotDataTransfer *transfer)
{
	const char *date = iotdata_transfer_header(transfer, "Date");

	return date != NULL ? curl_getdate(date, NULL) : -1;
}

IotDataTransferCost
iotdata_transfer_cost(const IotDataTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	long		head_sent = 0;
	long		head_received = 0;
	long		opened = 0;
	curl_off_t	body_sent = 0;
	IotDataTransferCost cost;

	curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &head_sent);
	curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &head_received);
	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
	curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &body_sent);
	cost.bytes_sent = (uint64) head_sent + (uint64) body_sent;
	cost.bytes_received = (uint64) head_received + transfer->body_length;
	cost.connections_opened = (int) opened;
	return cost;
}
