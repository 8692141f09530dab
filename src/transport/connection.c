/*
 * connection.c
 *		A connection: opened by libcurl, then ours to send and receive on.
 *
 * libcurl resolves names, connects, asks proxies for tunnels and does TLS
 * (CURLOPT_CONNECT_ONLY, in the multi handle). A connection is an easy handle,
 * which stays in the multi handle for as long as the connection lives.
 *
 * Sockets count in PostgreSQL's budget for descriptors: two for a connection
 * that is being opened, one for an open one.
 *
 * A name is resolved by one connection at a time, and libcurl's cache then has
 * it for the others to the same origin, which the holder makes wait. Without
 * that a burst of requests would begin with as many threads and descriptors,
 * and questions to a name server.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "compat.h"
#include "storage/fd.h"
#include "transport/connection.h"
#include "transport/opening.h"

/* how long libcurl is sure to know a name, in milliseconds */
#define NAME_KNOWN ((IOTDATA_NAME_KNOWN - 10) * 1000)

static const IotDataConnectionHolder *holder;

/* ---- names ---- */

static bool
knows_name(const IotDataOrigin *origin, int64 now)
{
	return origin->resolved_at != 0 && now - origin->resolved_at < NAME_KNOWN;
}

/* The name of its origin has been resolved, for this connection or before. */
static void
note_resolved(IotDataConnection *connection)
{
	IotDataOrigin *origin = connection->origin;

	connection->resolved = true;
	if (origin->resolving == connection)
		origin->resolving = NULL;
	if (!knows_name(origin, connection->begun))
		origin->resolved_at = connection->begun;
}

/* ---- opening ---- */

/*
 * libcurl: a socket, please. It has an address then. Programs that PostgreSQL
 * starts do not inherit it.
 */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	IotDataConnection *connection = arg;
	int			fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
							address->protocol);

	note_resolved(connection);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
		connection->no_descriptors = true;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static CURLcode
prepare(IotDataConnection *connection, long connect_timeout)
{
	CURL	   *easy = connection->easy;
	CURLcode	result = curl_easy_setopt(easy, CURLOPT_PRIVATE, connection);

	if (result == CURLE_OK)
		result = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, connection->reason);
	if (result == CURLE_OK)
		result = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	if (result == CURLE_OK)
		result = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, connection);
	if (result == CURLE_OK)
		result = iotdata_opening_prepare(easy, connection->origin, connect_timeout,
										 connection->begun);
	return result;
}

static void
fail(IotDataConnection *connection, CURLcode result)
{
	IotDataConnectionFailure failure = IOTDATA_CONNECTION_UNREACHABLE;
	char		reason[CURL_ERROR_SIZE];

	if (connection->no_descriptors)
		failure = IOTDATA_CONNECTION_NO_DESCRIPTORS;
	else if (result == CURLE_OUT_OF_MEMORY)
		failure = IOTDATA_CONNECTION_NO_MEMORY;
	iotdata_opening_explain(connection->easy, result, connection->reason, reason);
	holder->failed(connection, failure, reason);
}

static void
socket_ready(IotDataWatch *watch, uint32 events)
{
	holder->ready((IotDataConnection *) watch, events);
}

/*
 * libcurl has opened it. Returns false when it is of no use, for an end or for
 * bytes that nobody asked for.
 */
static bool
take_over(IotDataConnection *connection)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_getinfo(connection->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		return false;
	connection->watch.fd = fd;
	connection->watch.ready = socket_ready;
	ReleaseExternalFD();
	return iotdata_multi_watch(&connection->watch, EPOLLIN) &&
		iotdata_connection_is_quiet(connection);
}

/* multi.c: libcurl has done what it can. */
static void
opening_ended(void *private_data, CURLcode result)
{
	IotDataConnection *connection = private_data;

	if (result != CURLE_OK)
		fail(connection, result);
	else if (take_over(connection))
		holder->opened(connection);
	else
	{
		strlcpy(connection->reason, "The connection was closed at once, or something unasked came on it",
				sizeof(connection->reason));
		fail(connection, CURLE_RECV_ERROR);
	}
}

/* ---- what the holder asks for ---- */

bool
iotdata_connections_open(const IotDataConnectionHolder *the_holder)
{
	holder = the_holder;
	return iotdata_multi_open(opening_ended);
}

IotDataConnection *
iotdata_connection_create(IotDataOrigin *origin)
{
	IotDataConnection *connection = calloc(1, sizeof(*connection));

	if (connection != NULL)
		connection->easy = curl_easy_init();
	if (connection == NULL || connection->easy == NULL)
	{
		ReleaseExternalFD();
		ReleaseExternalFD();
		free(connection);
		return NULL;
	}
	connection->watch.fd = -1;
	connection->origin = origin;
	iotdata_origin_reference(origin);
	return connection;
}

void
iotdata_connection_open(IotDataConnection *connection, long connect_timeout)
{
	CURLcode	result;

	connection->begun = iotdata_multi_now();
	result = prepare(connection, connect_timeout);
	if (result == CURLE_OK && iotdata_multi_add(connection->easy) != CURLM_OK)
		result = CURLE_OUT_OF_MEMORY;
	if (result != CURLE_OK)
		fail(connection, result);
	else if (!knows_name(connection->origin, connection->begun))
		connection->origin->resolving = connection;
}

void
iotdata_connection_close(IotDataConnection *connection)
{
	if (connection->origin->resolving == connection)
		connection->origin->resolving = NULL;
	iotdata_multi_unwatch(&connection->watch);
	iotdata_multi_free(connection->easy);
	ReleaseExternalFD();
	if (connection->watch.fd < 0)
		ReleaseExternalFD();
	iotdata_origin_leave(connection->origin);
	free(connection);
}

bool
iotdata_connection_is_quiet(const IotDataConnection *connection)
{
	char		byte;
	size_t		n;

	return curl_easy_recv(connection->easy, &byte, 1, &n) == CURLE_AGAIN;
}

CURLcode
iotdata_connection_send(IotDataConnection *connection, const char *bytes,
						size_t length, size_t *n)
{
	*n = 0;
	connection->reason[0] = '\0';
	return curl_easy_send(connection->easy, bytes, length, n);
}

CURLcode
iotdata_connection_receive(IotDataConnection *connection, char *bytes,
						   size_t size, size_t *n)
{
	*n = 0;
	connection->reason[0] = '\0';
	return curl_easy_recv(connection->easy, bytes, size, n);
}

const char *
iotdata_connection_reason(const IotDataConnection *connection, CURLcode result)
{
	const char *reason = connection->reason;

	return reason[0] != '\0' ? reason : curl_easy_strerror(result);
}

void
iotdata_connection_await_writing(IotDataConnection *connection, bool writing)
{
	/* to change what is watched takes no memory, and does not fail */
	(void) iotdata_multi_watch(&connection->watch,
							   writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
}
