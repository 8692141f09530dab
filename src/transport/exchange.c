/*
 * exchange.c
 *		A request sent, and its response received, over one connection.
 *
 * What was sent of a request is known here, and nowhere else: nothing, as long
 * as the connection has not taken a byte of it; all of it, when it has taken
 * the last one. A connection that breaks before the first byte of a response
 * may have broken before the request came: if it was used before, that is what
 * happens when a server closes it just then, and a request that may be sent
 * twice, or of which nothing was sent, goes out again at once on a new one.
 *
 * A response that is complete ends the exchange, even if the request is not
 * all out ("413 Content Too Large", and the connection is closed). So a
 * connection that does not take the rest of a request is listened to before it
 * is given up.
 */
#include "postgres.h"

#include "transport/exchange.h"

/* what is received at once: as much as a record of TLS can have */
#define RECEIVE_SIZE (16 * 1024)

/*
 * What is sent at once over TLS: one record, so that an error tells that
 * nothing of these bytes can be read by the other side.
 */
#define RECORD_SIZE (16 * 1024)

/* how often one exchange receives before others have their turn */
#define RECEIVES_IN_A_TURN 64

static dlist_head running = DLIST_STATIC_INIT(running);

/* No exchange that runs is out of time before this. */
static int64 next_deadline = PG_INT64_MAX;

/* How many have more to receive than their turn allowed. */
static int	nunread;

/* ---- the end ---- */

static void
stop_running(IotDataExchange *exchange)
{
	if (!exchange->running)
		return;
	exchange->running = false;
	dlist_delete(&exchange->node);
	nunread -= exchange->unread;
	exchange->unread = false;
}

/* The reason is a sentence without its full stop; NULL when it was answered. */
static void
end_exchange(IotDataExchange *exchange, IotDataTransferStatus status,
			 const char *reason)
{
	bool		reusable = status == IOTDATA_TRANSFER_ANSWERED &&
		exchange->written == exchange->request_length &&
		iotdata_http1_keeps_alive(&exchange->response);

	if (reason != NULL)
		strlcpy(exchange->reason, reason, sizeof(exchange->reason));
	stop_running(exchange);
	if (reusable)
		iotdata_pool_release(&exchange->user, iotdata_http1_idle_seconds(&exchange->response));
	else
		iotdata_pool_close(&exchange->user);
	exchange->status = status;
	exchange->ended(exchange);
}

static void
end_malformed(IotDataExchange *exchange)
{
	char		reason[CURL_ERROR_SIZE];

	snprintf(reason, sizeof(reason), "The response is malformed: %s",
			 iotdata_http1_problem(&exchange->response));
	end_exchange(exchange, IOTDATA_TRANSFER_MALFORMED, reason);
}

static void
end_timed_out(IotDataExchange *exchange)
{
	char		reason[CURL_ERROR_SIZE];

	snprintf(reason, sizeof(reason), "After %ld ms " UINT64_FORMAT " bytes had been sent and " UINT64_FORMAT " received",
			 exchange->timeout, exchange->bytes_sent, exchange->bytes_received);
	end_exchange(exchange, IOTDATA_TRANSFER_TIMED_OUT, reason);
}

/*
 * The connection has broken. Does the request go out again on a new one? In the
 * time that it has left.
 */
static bool
send_again(IotDataExchange *exchange)
{
	IotDataPoolUser *user = &exchange->user;
	int64		left = exchange->deadline - iotdata_multi_now();

	if (!user->connection->reused || exchange->received > 0 || left <= 0 ||
		(exchange->send_once && exchange->sent != IOTDATA_SENT_NOTHING))
		return false;
	stop_running(exchange);
	iotdata_pool_replace(user, (long) Min(exchange->connect_timeout, left));
	return true;
}

static void
end_lost(IotDataExchange *exchange, const char *reason)
{
	if (!send_again(exchange))
		end_exchange(exchange, IOTDATA_TRANSFER_LOST, reason);
}

/* ---- receiving ---- */

/*
 * Something, or nothing ("length" 0: the connection was closed in order), was
 * received. Returns whether the exchange goes on.
 */
static bool
take(IotDataExchange *exchange, const char *bytes, size_t length)
{
	IotDataHttp1 *response = &exchange->response;
	IotDataHttp1State state = length > 0 ?
		iotdata_http1_feed(response, bytes, length) : iotdata_http1_end(response);

	exchange->received += length;
	exchange->bytes_received += length;
	switch (state)
	{
		case IOTDATA_HTTP1_INCOMPLETE:
			if (length > 0)
				return true;
			end_lost(exchange, exchange->received > 0 ?
					 "The connection was closed within the response" :
					 "The connection was closed without a response");
			break;
		case IOTDATA_HTTP1_COMPLETE:
			end_exchange(exchange, IOTDATA_TRANSFER_ANSWERED, NULL);
			break;
		case IOTDATA_HTTP1_MALFORMED:
			end_malformed(exchange);
			break;
		case IOTDATA_HTTP1_TOO_LARGE:
			end_exchange(exchange, IOTDATA_TRANSFER_TOO_LARGE, "The response has too large a body");
			break;
		case IOTDATA_HTTP1_NO_MEMORY:
			end_exchange(exchange, IOTDATA_TRANSFER_NO_MEMORY, "There is no memory for the response");
			break;
	}
	return false;
}

static void
set_unread(IotDataExchange *exchange, bool unread)
{
	nunread += unread - exchange->unread;
	exchange->unread = unread;
}

/*
 * Receive what there is. Returns whether the exchange goes on; with
 * "last_words", when nothing can be sent any more, it does not.
 */
static bool
receive(IotDataExchange *exchange, const char *last_words)
{
	static char bytes[RECEIVE_SIZE];

	for (int i = 0; i < RECEIVES_IN_A_TURN || last_words != NULL; i++)
	{
		IotDataConnection *connection = exchange->user.connection;
		size_t		n;
		bool		goes_on;
		CURLcode	result = iotdata_connection_receive(connection, bytes, sizeof(bytes), &n);

		if (result == CURLE_AGAIN && last_words == NULL)
		{
			set_unread(exchange, false);
			return true;
		}
		if (result != CURLE_OK)
		{
			end_lost(exchange, last_words != NULL ? last_words : iotdata_connection_reason(connection, result));
			return false;
		}
		goes_on = take(exchange, bytes, n);
		explicit_bzero(bytes, n);
		if (!goes_on)
			return false;
	}
	set_unread(exchange, true);
	return true;
}

/* ---- sending ---- */

/* Send what the connection takes. */
static void
send_request(IotDataExchange *exchange)
{
	IotDataConnection *connection = exchange->user.connection;
	size_t		most = connection->origin->https ? RECORD_SIZE : SIZE_MAX;

	while (exchange->written < exchange->request_length)
	{
		size_t		left = exchange->request_length - exchange->written;
		size_t		n;
		CURLcode	result = iotdata_connection_send(connection, exchange->request + exchange->written,
													 Min(left, most), &n);

		if (result != CURLE_OK && result != CURLE_AGAIN)
		{
			char		reason[CURL_ERROR_SIZE];

			strlcpy(reason, iotdata_connection_reason(connection, result), sizeof(reason));
			receive(exchange, reason);
			return;
		}
		/* over TLS, some of a record may be out that is to be sent again */
		exchange->sent = Max(exchange->sent, IOTDATA_SENT_SOME);
		exchange->written += n;
		exchange->bytes_sent += n;
		if (result == CURLE_AGAIN)
		{
			iotdata_connection_await_writing(connection, true);
			return;
		}
	}
	exchange->sent = IOTDATA_SENT_ALL;
	iotdata_connection_await_writing(connection, false);
}

/* ---- what the pool tells ---- */

static void
connected(IotDataPoolUser *user)
{
	IotDataExchange *exchange = (IotDataExchange *) user;

	/* of one that is sent again, the time goes on */
	if (exchange->deadline == 0)
		exchange->deadline = user->begun + exchange->timeout;
	next_deadline = Min(next_deadline, exchange->deadline);
	exchange->written = 0;
	exchange->received = 0;
	exchange->running = true;
	dlist_push_tail(&running, &exchange->node);
	send_request(exchange);
}

static void
failed(IotDataPoolUser *user, IotDataConnectionFailure failure,
	   const char *reason)
{
	IotDataTransferStatus status = IOTDATA_TRANSFER_UNREACHABLE;

	if (failure == IOTDATA_CONNECTION_NO_MEMORY)
		status = IOTDATA_TRANSFER_NO_MEMORY;
	else if (failure == IOTDATA_CONNECTION_NO_DESCRIPTORS)
		status = IOTDATA_TRANSFER_NO_DESCRIPTORS;
	end_exchange((IotDataExchange *) user, status, reason);
}

static void
ready(IotDataPoolUser *user, uint32 events)
{
	IotDataExchange *exchange = (IotDataExchange *) user;

	if ((events & ~EPOLLOUT) != 0 && !receive(exchange, NULL))
		return;
	if ((events & EPOLLOUT) != 0)
		send_request(exchange);
}

/* ---- the whole ---- */

void
iotdata_exchange_begin(IotDataExchange *exchange,
					   const IotDataEndpoint *endpoint, const char *ca_file,
					   size_t max_body)
{
	exchange->user.connected = connected;
	exchange->user.failed = failed;
	exchange->user.ready = ready;
	exchange->status = IOTDATA_TRANSFER_RUNNING;
	iotdata_http1_init(&exchange->response, max_body);
	if (!iotdata_pool_acquire(&exchange->user, endpoint, ca_file,
							  Min(exchange->connect_timeout, exchange->timeout)))
		end_exchange(exchange, IOTDATA_TRANSFER_NO_MEMORY, "There is no memory for a connection");
}

void
iotdata_exchange_free(IotDataExchange *exchange)
{
	stop_running(exchange);
	iotdata_pool_close(&exchange->user);
	iotdata_http1_free(&exchange->response);
}

/* End those whose time is over, and find out when the next one's is. */
static void
end_late(int64 now)
{
	dlist_mutable_iter iter;

	next_deadline = PG_INT64_MAX;
	dlist_foreach_modify(iter, &running)
	{
		IotDataExchange *exchange = dlist_container(IotDataExchange, node, iter.cur);

		if (exchange->deadline <= now)
			end_timed_out(exchange);
		else
			next_deadline = Min(next_deadline, exchange->deadline);
	}
}

static void
receive_unread(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &running)
	{
		IotDataExchange *exchange = dlist_container(IotDataExchange, node, iter.cur);

		if (exchange->unread)
			receive(exchange, NULL);
	}
}

bool
iotdata_exchange_receive_lone(void)
{
	if (dlist_is_empty(&running) || dlist_has_next(&running, dlist_head_node(&running)))
		return false;
	return !receive(dlist_head_element(IotDataExchange, node, &running), NULL);
}

void
iotdata_exchanges_go_on(void)
{
	int64		now = iotdata_multi_now();

	if (nunread > 0)
		receive_unread();
	if (now >= next_deadline)
		end_late(now);
}

long
iotdata_exchanges_time_left(void)
{
	if (nunread > 0)
		return 0;
	if (next_deadline == PG_INT64_MAX)
		return -1;
	return (long) Max(next_deadline - iotdata_multi_now(), 0);
}
