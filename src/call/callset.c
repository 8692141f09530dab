/*
 * callset.c
 *		Calls to one target: started, waited for, and handed back as they end.
 *
 * The set owns a memory context; each call has a child of it, to which the
 * transfer, and so libcurl's handle, is tied. Deleting a call's context ends
 * the call, deleting the set's ends them all, and that is all the cleaning up
 * there is: an error anywhere takes the same way.
 *
 * A call is in the hands of the transport until its transfer ends; then the
 * transfer is on the set's list "finished" until iotdata_callset_next takes
 * it off and the call is the caller's.
 */
#include "postgres.h"

#include "call/callset.h"
#include "call/error.h"
#include "settings/settings.h"
#include "utils/memutils.h"

#include <time.h>

struct IotDataCallSet
{
	MemoryContext context;
	const IotDataTarget *target;
	dlist_head	finished;		/* transfers that have ended */
	int			running;		/* calls that were not handed back yet */
};

IotDataCallSet *
iotdata_callset_create(const IotDataTarget *target)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata call set",
												  ALLOCSET_SMALL_SIZES);
	IotDataCallSet *set = MemoryContextAllocZero(context, sizeof(*set));

	set->context = context;
	set->target = target;
	dlist_init(&set->finished);
	return set;
}

void
iotdata_callset_delete(IotDataCallSet *set)
{
	MemoryContextDelete(set->context);
}

static void
fail_for_resources(const char *message)
{
	IotDataFailure failure = {
		.sqlstate = ERRCODE_INSUFFICIENT_RESOURCES,
		.message = message,
		.detail = "The backend is out of memory or of file descriptors."
	};

	iotdata_raise(&failure);
}

static void
sign(IotDataCall *call)
{
	IotDataFailure failure;

	if (iotdata_credentials_find(&call->credentials, &failure) != IOTDATA_CREDENTIALS_FOUND)
		iotdata_raise(&failure);
	if (!iotdata_sign(&call->signed_request, call->request, call->target,
					  &call->credentials, time(NULL)))
		fail_for_resources("the request could not be signed");
}

/* Send the call's request for the first time, or again. */
static void
start_attempt(IotDataCallSet *set, IotDataCall *call)
{
	const IotDataRequest *request = call->request;
	IotDataTransferRequest http = {
		.endpoint = &call->target->endpoint,
		.method = request->operation->method,
		.headers = call->signed_request.headers,
		.body = request->body.data,
		.body_length = request->body.length,
		.ca_file = iotdata_ca_file,
		.connect_timeout = iotdata_connect_timeout,
		.timeout = iotdata_request_timeout + request->wait_seconds * 1000L,
		.max_response_size = (size_t) iotdata_max_response_size * 1024,
		.send_once = request->operation->acts
	};

	sign(call);
	http.nheaders = call->signed_request.nheaders;
	http.path_and_query = request->query[0] == '\0' ? request->path :
		psprintf("%s?%s", request->path, request->query);
	call->transfer = iotdata_transfer_create(call->context);
	if (call->transfer == NULL)
		fail_for_resources("the HTTP library could not be started");
	call->attempts++;
	iotdata_transfer_start(call->transfer, &http, &set->finished, call);
}

void
iotdata_callset_add(IotDataCallSet *set, const IotDataRequest *request)
{
	MemoryContext context = AllocSetContextCreate(set->context, "iotdata call",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	IotDataCall *call = palloc0(sizeof(*call));

	call->context = context;
	call->request = request;
	call->target = set->target;
	start_attempt(set, call);
	set->running++;
	MemoryContextSwitchTo(caller);
}

IotDataCall *
iotdata_callset_next(IotDataCallSet *set)
{
	IotDataCall *call;

	if (set->running == 0)
		return NULL;
	while ((call = iotdata_transfer_pop(&set->finished)) == NULL)
		iotdata_transport_wait();
	set->running--;
	return call;
}
