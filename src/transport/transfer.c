/*
 * transfer.c
 *		HTTP transfers that are waited for on the backend's latch.
 *
 * A transfer lives in its memory context, whose reset callback ends it: what
 * libcurl and the pool know of it is gone before its memory is. The list that
 * it is put into when it has ended is the caller's.
 */
#include "postgres.h"

#include "transport/exchange.h"
#include "transport/transport.h"

#include <curl/curl.h>

/* transfers that are sent together, rather than each as soon as it is started */
#define STARTED_AT_ONCE 8

struct IotDataTransfer
{
	IotDataExchange exchange;	/* first */
	MemoryContext context;
	dlist_node	node;			/* in *finished, once it has ended */
	bool		in_finished;
	dlist_head *finished;
	void	   *owner;
};

/* Transfers that were started and may wait to be sent. */
static int	started;

/* How many have ended, ever. */
static uint64 ended;

/* ---- the request, as it goes on the wire ---- */

/* Has it a control character, or a blank where that may not be? */
static bool
is_clean(const char *text, bool blanks)
{
	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c < ' ' || c == 0x7f || (c == ' ' && !blanks))
			return false;
	}
	return true;
}

/* Why a request cannot be written; NULL when it can. */
static const char *
find_fault(const IotDataTransferRequest *request)
{
	if (!is_clean(request->method, false) || !is_clean(request->path_and_query, false) ||
		request->path_and_query[0] != '/')
		return "The method or the path of the request has a character that is not allowed";
	for (int i = 0; i < request->nheaders; i++)
	{
		const IotDataHeader *header = &request->headers[i];

		if (!is_clean(header->name, false) || !is_clean(header->value, true))
			return "A header of the request has a character that is not allowed";
	}
	return NULL;
}

static bool
has_body(const IotDataTransferRequest *request)
{
	return strcmp(request->method, "POST") == 0;
}

static char *
append(char *to, const char *text)
{
	return stpcpy(to, text);
}

/* Write the head to "to"; returns what is behind it. */
static char *
write_head(char *to, const IotDataTransferRequest *request)
{
	to = append(to, request->method);
	*to++ = ' ';
	to = append(to, request->path_and_query);
	to = append(to, " HTTP/1.1\r\n");
	for (int i = 0; i < request->nheaders; i++)
	{
		to = append(to, request->headers[i].name);
		to = append(to, ": ");
		to = append(to, request->headers[i].value);
		to = append(to, "\r\n");
	}
	to = append(to, "user-agent: iotdata/" IOTDATA_VERSION "\r\n");
	if (has_body(request))
		to += sprintf(to, "content-length: %zu\r\n", request->body_length);
	return append(to, "\r\n");
}

/* The size of the head, a little more than it needs. */
static size_t
head_size(const IotDataTransferRequest *request)
{
	size_t		size = 128 + strlen(request->method) + strlen(request->path_and_query);

	for (int i = 0; i < request->nheaders; i++)
		size += strlen(request->headers[i].name) + strlen(request->headers[i].value) + 4;
	return size;
}

/* Write head and body, to be sent in one piece. */
static void
write_request(IotDataTransfer *transfer, const IotDataTransferRequest *request)
{
	size_t		body_length = has_body(request) ? request->body_length : 0;
	char	   *text = MemoryContextAlloc(transfer->context, head_size(request) + body_length);
	char	   *end = write_head(text, request);

	if (body_length > 0)
		memcpy(end, request->body, body_length);
	transfer->exchange.request = text;
	transfer->exchange.request_length = (size_t) (end - text) + body_length;
}

/* ---- a transfer's life ---- */

/* The context's reset callback. */
static void
destroy_transfer(void *arg)
{
	IotDataTransfer *transfer = arg;

	iotdata_exchange_free(&transfer->exchange);
	/* a token may be in it */
	if (transfer->exchange.request != NULL)
		explicit_bzero(unconstify(char *, transfer->exchange.request), transfer->exchange.request_length);
	if (transfer->in_finished)
		dlist_delete(&transfer->node);
}

static void
transfer_ended(IotDataExchange *exchange)
{
	IotDataTransfer *transfer = (IotDataTransfer *) exchange;

	dlist_push_tail(transfer->finished, &transfer->node);
	transfer->in_finished = true;
	ended++;
}

static void
fail_transfer(IotDataTransfer *transfer, const char *reason)
{
	strlcpy(transfer->exchange.reason, reason, sizeof(transfer->exchange.reason));
	transfer->exchange.status = IOTDATA_TRANSFER_FAILED;
	transfer_ended(&transfer->exchange);
}

IotDataTransfer *
iotdata_transfer_create(MemoryContext context)
{
	IotDataTransfer *transfer = MemoryContextAllocZero(context, sizeof(*transfer));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(*callback));

	transfer->context = context;
	callback->func = destroy_transfer;
	callback->arg = transfer;
	MemoryContextRegisterResetCallback(context, callback);
	return transfer;
}

/*
 * A request is not sent at once, but with others that are started meanwhile, or
 * in the next wait. So a server that sleeps is woken once for some requests,
 * and not once for each, and still the first of many need not wait for the
 * last.
 */
void
iotdata_transfer_start(IotDataTransfer *transfer,
					   const IotDataTransferRequest *request,
					   dlist_head *finished, void *owner)
{
	IotDataExchange *exchange = &transfer->exchange;
	const char *fault = find_fault(request);

	transfer->finished = finished;
	transfer->owner = owner;
	if (fault == NULL && head_size(request) > IOTDATA_HTTP1_MAX_HEAD)
		fault = "The head of the request is too long";
	if (fault != NULL)
	{
		fail_transfer(transfer, fault);
		return;
	}
	write_request(transfer, request);
	exchange->ended = transfer_ended;
	exchange->connect_timeout = request->connect_timeout;
	exchange->timeout = request->timeout;
	exchange->send_once = request->send_once;
	iotdata_exchange_begin(exchange, request->endpoint, request->ca_file,
						   request->max_response_size);
	if (++started >= STARTED_AT_ONCE)
	{
		started = 0;
		iotdata_pool_serve();
	}
}

void *
iotdata_transfer_pop(dlist_head *finished)
{
	IotDataTransfer *transfer;

	if (dlist_is_empty(finished))
		return NULL;
	transfer = dlist_container(IotDataTransfer, node, dlist_pop_head_node(finished));
	transfer->in_finished = false;
	return transfer->owner;
}

/* ---- all transfers ---- */

/* The reset callback of a context that transfers were in. */
static void
trim(void *unused)
{
	iotdata_pool_trim();
}

bool
iotdata_transport_open(MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(*callback));

	callback->func = trim;
	callback->arg = NULL;
	MemoryContextRegisterResetCallback(context, callback);
	return iotdata_pool_open();
}

/* The sooner of two times that are left; -1 is never. */
static long
sooner(long one, long other)
{
	return one < 0 ? other : other < 0 ? one : Min(one, other);
}

void
iotdata_transport_wait(long timeout, uint32 wait_event)
{
	uint64		ended_before = ended;

	started = 0;
	iotdata_pool_serve();
	iotdata_multi_run_timer();
	if (ended != ended_before)
		timeout = 0;
	iotdata_multi_sleep(sooner(timeout, iotdata_exchanges_time_left()), wait_event);
	if (!iotdata_exchange_receive_lone())
		iotdata_multi_drive();
	iotdata_exchanges_go_on();
}

/* ---- what became of one ---- */

IotDataTransferStatus
iotdata_transfer_status(const IotDataTransfer *transfer)
{
	return transfer->exchange.status;
}

IotDataSent
iotdata_transfer_sent(const IotDataTransfer *transfer)
{
	return transfer->exchange.sent;
}

const char *
iotdata_transfer_reason(const IotDataTransfer *transfer)
{
	return transfer->exchange.reason;
}

int
iotdata_transfer_http_status(const IotDataTransfer *transfer)
{
	return iotdata_http1_status(&transfer->exchange.response);
}

const char *
iotdata_transfer_header(const IotDataTransfer *transfer, const char *name)
{
	if (transfer->exchange.status != IOTDATA_TRANSFER_ANSWERED)
		return NULL;
	return iotdata_http1_header(&transfer->exchange.response, name);
}

const char *
iotdata_transfer_body(const IotDataTransfer *transfer, size_t *length)
{
	return iotdata_http1_body(&transfer->exchange.response, length);
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
	IotDataTransferCost cost = {
		.bytes_sent = transfer->exchange.bytes_sent,
		.bytes_received = transfer->exchange.bytes_received,
		.connections_opened = transfer->exchange.user.opened
	};

	return cost;
}
