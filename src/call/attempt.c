/*
 * attempt.c
 *		One attempt at a call: signed, sent, and judged when it has ended.
 */
#include "postgres.h"

#include "aws/error_name.h"
#include "call/attempt.h"
#include "call/clock.h"
#include "common/pg_prng.h"
#include "settings/settings.h"
#include "utils/memutils.h"

#define SERVICE "iotdata"		/* the name that the service signs with */

StaticAssertDecl(IOTDATA_REQUEST_MAX_HEADERS <= IOTDATA_SIGN_MAX_HEADERS,
				 "all headers of a request can be signed");

/* This backend's. */
static IotDataRetryQuota retry_quota;

/* In the attempt's context, where the failure stays. */
static bool
sign(IotDataCall *call)
{
	const IotDataRequest *request = call->request;
	IotDataSignRequest to_sign = {
		.service = SERVICE,
		.region = call->target->region,
		.authority = call->target->endpoint.authority,
		.method = request->operation->method,
		.path = request->path,
		.query = request->query,
		.headers = request->headers,
		.nheaders = request->nheaders,
		.body = request->body.data,
		.body_length = request->body.length
	};
	IotDataFailure *failure = palloc0(sizeof(*failure));

	call->failure = NULL;
	if (iotdata_credentials_get(&call->target->credentials, call->attempt,
								&call->credentials, failure) != IOTDATA_CREDENTIALS_FOUND)
		call->failure = failure;
	else if (!iotdata_sign(&call->signed_request, &to_sign, &call->credentials->values,
						   iotdata_clock_now()))
	{
		failure->sqlstate = ERRCODE_INSUFFICIENT_RESOURCES;
		failure->message = "the request could not be signed";
		failure->detail = "The backend is out of memory or of file descriptors.";
		call->failure = failure;
	}
	return call->failure == NULL;
}

/*
 * A reset callback of the attempt's context, which comes before the transfer's:
 * add what the attempt took to what the call took, whether it came to its end
 * or not.
 */
static void
add_cost(void *arg)
{
	IotDataCall *call = arg;
	IotDataTransferCost cost = iotdata_transfer_cost(call->transfer);

	call->cost.bytes_sent += cost.bytes_sent;
	call->cost.bytes_received += cost.bytes_received;
	call->cost.connections_opened += cost.connections_opened;
}

bool
iotdata_attempt_start(IotDataCall *call, dlist_head *finished)
{
	const IotDataRequest *request = call->request;
	IotDataTransferRequest http = {
		.endpoint = &call->target->endpoint,
		.method = request->operation->method,
		.path_and_query = request->request_target,
		.headers = call->signed_request.headers,
		.body = request->body.data,
		.body_length = request->body.length,
		.ca_file = call->target->ca_file,
		.connect_timeout = iotdata_connect_timeout,
		.timeout = iotdata_request_timeout + request->wait_seconds * 1000L,
		.max_response_size = (size_t) iotdata_max_response_size * 1024,
		.send_once = iotdata_operation_is_action(request->operation)
	};
	MemoryContextCallback *callback;
	MemoryContext caller;

	if (call->attempt != NULL)
		MemoryContextDelete(call->attempt);
	call->attempt = AllocSetContextCreate(call->context, "iotdata attempt",
										  ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(call->attempt);
	call->transfer = NULL;
	if (!sign(call))
	{
		MemoryContextSwitchTo(caller);
		return false;
	}
	http.nheaders = call->signed_request.nheaders;
	callback = palloc(sizeof(*callback));
	call->transfer = iotdata_transfer_create(call->attempt);
	callback->func = add_cost;
	callback->arg = call;
	MemoryContextRegisterResetCallback(call->attempt, callback);
	call->attempts++;
	call->attempt_begun = iotdata_clock_monotonic();
	if (call->begun == 0)
		call->begun = call->attempt_begun;
	iotdata_transfer_start(call->transfer, &http, finished, call);
	MemoryContextSwitchTo(caller);
	return true;
}

/* Did it end without an answer, for reasons of the network? */
static bool
is_broken(IotDataTransferStatus status)
{
	return status == IOTDATA_TRANSFER_UNREACHABLE ||
		status == IOTDATA_TRANSFER_LOST || status == IOTDATA_TRANSFER_TIMED_OUT;
}

static IotDataAttempt
describe(const IotDataCall *call)
{
	IotDataTransferStatus status = iotdata_transfer_status(call->transfer);
	IotDataAttempt attempt = {
		.sent = iotdata_transfer_sent(call->transfer) != IOTDATA_SENT_NOTHING,
		.broken = is_broken(status),
		.is_action = iotdata_operation_is_action(call->operation)
	};

	if (status == IOTDATA_TRANSFER_ANSWERED)
		attempt.http_status = iotdata_transfer_http_status(call->transfer);
	return attempt;
}

/* x-amz-retry-after, in milliseconds; -1 when there is none that is a number. */
static int64
retry_after(const IotDataCall *call)
{
	const char *value = iotdata_transfer_header(call->transfer, "x-amz-retry-after");
	char	   *end;
	long		milliseconds;

	if (value == NULL || *value < '0' || *value > '9')
		return -1;
	errno = 0;
	milliseconds = strtol(value, &end, 10);
	return *end == '\0' && errno == 0 ? milliseconds : -1;
}

/* Does a refusal say that the credentials have expired? */
static bool
says_expired(const IotDataCall *call)
{
	static const char *const names[] = {"ExpiredTokenException", "ExpiredToken", "RequestExpired"};
	const char *header = iotdata_transfer_header(call->transfer, "x-amzn-ErrorType");
	char		storage[64];
	IotDataBuffer name;

	iotdata_buffer_init(&name, storage, sizeof(storage));
	if (header == NULL || !iotdata_error_name(&name, header, strlen(header)) || name.overflowed)
		return false;
	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name.data, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Are the credentials of a refused attempt to be renewed, and is it to be made
 * again? Once for a call: what has just been renewed has not expired.
 */
static bool
renew_credentials(IotDataCall *call)
{
	if (call->renewed || !says_expired(call))
		return false;
	call->renewed = true;
	if (!iotdata_credentials_expired(&call->target->credentials, call->credentials))
		return false;
	call->attempts--;
	return true;
}

bool
iotdata_attempt_is_throttled(const IotDataCall *call)
{
	return describe(call).http_status == 429;
}

/* May a retry be made? One that is not the call's fault is not counted. */
static bool
may_retry(IotDataCall *call, IotDataRetry retry, bool slowing)
{
	if (retry == IOTDATA_RETRY_THROTTLED && slowing && call->max_attempts > 1)
	{
		call->attempts--;
		return true;
	}
	if (call->attempts >= call->max_attempts ||
		!iotdata_retry_quota_take(&retry_quota, retry, iotdata_max_concurrency))
		return false;
	call->retry = retry;
	return true;
}

bool
iotdata_attempt_again(IotDataCall *call, bool stalled, bool slowing, int64 *delay)
{
	IotDataAttempt attempt = describe(call);
	IotDataRetry retry = iotdata_retry_classify(&attempt);
	bool		refused = attempt.http_status == 401 || attempt.http_status == 403;

	call->throttled += iotdata_attempt_is_throttled(call);
	*delay = 0;
	if (stalled && attempt.broken && retry != IOTDATA_RETRY_NONE)
	{
		call->attempts--;
		return true;
	}
	if (refused && renew_credentials(call))
		return true;
	if (refused && iotdata_clock_correct(iotdata_transfer_date(call->transfer)))
		return call->attempts < call->max_skewed_attempts;
	if (retry == IOTDATA_RETRY_NONE)
	{
		if (attempt.http_status != 0 && attempt.http_status < 500)
			iotdata_retry_quota_give(&retry_quota, call->retry);
		return false;
	}
	if (!may_retry(call, retry, slowing))
		return false;
	*delay = iotdata_retry_delay(retry, Max(call->attempts - 1, 0),
								 pg_prng_double(&pg_global_prng_state),
								 retry_after(call));
	return true;
}

IotDataOutcome
iotdata_attempt_outcome(const IotDataCall *call)
{
	IotDataAttempt attempt = describe(call);

	switch (iotdata_transfer_status(call->transfer))
	{
		case IOTDATA_TRANSFER_ANSWERED:
			break;
		case IOTDATA_TRANSFER_UNREACHABLE:
		case IOTDATA_TRANSFER_NO_DESCRIPTORS:
			return IOTDATA_OUTCOME_UNREACHABLE;
		case IOTDATA_TRANSFER_LOST:
		case IOTDATA_TRANSFER_TIMED_OUT:
			return IOTDATA_OUTCOME_LOST;
		default:
			return IOTDATA_OUTCOME_MALFORMED;
	}
	if (attempt.http_status / 100 == 2 || (attempt.http_status == 404 && !attempt.is_action))
		return IOTDATA_OUTCOME_ANSWERED;
	if (attempt.http_status == 429)
		return IOTDATA_OUTCOME_THROTTLED;
	return attempt.http_status >= 500 ? IOTDATA_OUTCOME_SERVER_ERROR : IOTDATA_OUTCOME_CLIENT_ERROR;
}
