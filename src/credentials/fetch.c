/*
 * fetch.c
 *		One HTTP request to a place that gives out credentials.
 */
#include "postgres.h"

#include "compat.h"
#include "credentials/fetch.h"
#include "credentials/secret.h"
#include "error/sanitize.h"
#include "settings/settings.h"
#include "transport/transport.h"

#define MAX_HEADERS 12
#define MAX_BODY (256 * 1024)

static void
start(IotDataTransfer *transfer, const IotDataFetch *fetch, dlist_head *finished)
{
	IotDataHeader headers[MAX_HEADERS];
	IotDataTransferRequest request = {
		.endpoint = &fetch->endpoint,
		.method = fetch->method,
		.path_and_query = fetch->path_and_query,
		.headers = headers,
		.nheaders = 1,
		.body = fetch->body,
		.body_length = fetch->body != NULL ? strlen(fetch->body) : 0,
		.ca_file = fetch->ca_file,
		.connect_timeout = Min(fetch->timeout, iotdata_connect_timeout),
		.timeout = fetch->timeout,
		.max_response_size = MAX_BODY
	};

	headers[0] = (IotDataHeader) {"host", fetch->endpoint.authority};
	for (int i = 0; i < fetch->nheaders && request.nheaders < MAX_HEADERS; i++)
		headers[request.nheaders++] = fetch->headers[i];
	iotdata_transfer_start(transfer, &request, finished, transfer);
}

IotDataTransfer *
iotdata_fetch_begin(const IotDataFetch *fetch)
{
	dlist_head *finished = palloc(sizeof(*finished));
	IotDataTransfer *transfer;

	dlist_init(finished);
	if (!iotdata_transport_open(CurrentMemoryContext))
		return NULL;
	transfer = iotdata_transfer_create(CurrentMemoryContext);
	start(transfer, fetch, finished);
	return transfer;
}

const char *
iotdata_fetch_end(IotDataTransfer *transfer, IotDataFetched *answer)
{
	static uint32 event = 0;
	const char *body;

	*answer = (IotDataFetched) {.body = "", .unreachable = true};
	if (transfer == NULL)
		return "The HTTP library could not be started.";
	while (iotdata_transfer_status(transfer) == IOTDATA_TRANSFER_RUNNING)
		iotdata_transport_wait(-1, iotdata_wait_event(&event, "IotDataCredentials"));
	answer->unreachable = iotdata_transfer_status(transfer) == IOTDATA_TRANSFER_UNREACHABLE;
	if (iotdata_transfer_status(transfer) != IOTDATA_TRANSFER_ANSWERED)
		return psprintf("%s.", iotdata_sanitize(iotdata_transfer_reason(transfer),
												strlen(iotdata_transfer_reason(transfer))));
	answer->http_status = iotdata_transfer_http_status(transfer);
	body = iotdata_transfer_body(transfer, &answer->length);
	answer->body = iotdata_secret_copy(body, answer->length);
	return NULL;
}

const char *
iotdata_fetch(const IotDataFetch *fetch, IotDataFetched *answer)
{
	return iotdata_fetch_end(iotdata_fetch_begin(fetch), answer);
}
