/*
 * mqtt_connection.c
 *	  One MQTT client's network connection: plain or TLS, packets out of bytes,
 *	  bytes out of a bounded buffer.
 *
 * States: HANDSHAKE (TLS only) -> OPEN -> DRAINING -> CLOSED.  Output is only
 * appended during a round and written at its end by the connection's task, so
 * a message to a thousand clients never closes one of them in the middle.
 *
 * Closing a socket with unread bytes makes the kernel send a reset, which can
 * take a DISCONNECT packet that is still on its way with it.  So after the
 * last byte is written our side is shut down, and the connection drains: what
 * comes is thrown away until the client closes or DRAIN_TIME has passed.
 *
 * A connection is freed only by its task, in state CLOSED.
 */
#include "wire/mqtt_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_TIME 1000
#define READ_SIZE 65536
#define READS_PER_ROUND 16

static const MqttConnectionEvents *events;
static MqttConnection *connections;

void
mqtt_connection_set_events(const MqttConnectionEvents *new_events)
{
	events = new_events;
}

static void
read_address(const struct sockaddr_storage *storage, NetworkAddress *address)
{
	if (storage->ss_family == AF_INET6)
	{
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) storage;

		inet_ntop(AF_INET6, &v6->sin6_addr, address->host, sizeof(address->host));
		address->port = ntohs(v6->sin6_port);
	}
	else
	{
		const struct sockaddr_in *v4 = (const struct sockaddr_in *) storage;

		inet_ntop(AF_INET, &v4->sin_addr, address->host, sizeof(address->host));
		address->port = ntohs(v4->sin_port);
	}
}

static void
read_addresses(MqttConnection *connection)
{
	struct sockaddr_storage storage;
	socklen_t	length = sizeof(storage);

	memset(&storage, 0, sizeof(storage));
	if (getpeername(connection->source.fd, (struct sockaddr *) &storage, &length) == 0)
		read_address(&storage, &connection->source_address);
	length = sizeof(storage);
	if (getsockname(connection->source.fd, (struct sockaddr *) &storage, &length) == 0)
		read_address(&storage, &connection->target_address);
}

static void
destroy(MqttConnection *connection)
{
	loop_cancel_timer(&connection->timer);
	loop_take_back(&connection->task);
	if (connection->tls != NULL)
		SSL_free(connection->tls);
	if (connection->source.fd >= 0)
	{
		loop_remove(&connection->source);
		close(connection->source.fd);
	}
	*connection->link = connection->next;
	if (connection->next != NULL)
		connection->next->link = connection->link;
	buffer_free(&connection->input);
	buffer_free(&connection->output);
	free(connection);
}

static void
become_closed(MqttConnection *connection)
{
	connection->state = MQTT_CLOSED;
	loop_put_off(&connection->task);
}

/* The other side is gone, or cannot be talked to. */
static void
become_lost(MqttConnection *connection)
{
	if (connection->state == MQTT_HANDSHAKE || connection->state == MQTT_OPEN)
		events->lost(connection);
	become_closed(connection);
}

static void
watch(MqttConnection *connection, bool wants_write)
{
	if (connection->source.fd < 0 || connection->wants_write == wants_write)
		return;
	connection->wants_write = wants_write;
	loop_modify(&connection->source, EPOLLIN | (wants_write ? EPOLLOUT : 0));
}

/* ------ writing ------ */

/* Bytes written, 0 if not now, -1 if never. */
static ssize_t
write_some(MqttConnection *connection, const uint8_t *data, size_t length)
{
	ssize_t		written;

	if (connection->tls == NULL)
	{
		written = send(connection->source.fd, data, length, MSG_NOSIGNAL);
		if (written < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		return written;
	}
	ERR_clear_error();
	written = SSL_write(connection->tls, data, length > READ_SIZE ? READ_SIZE : (int) length);
	if (written <= 0)
	{
		int			error = SSL_get_error(connection->tls, (int) written);

		return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
	return written;
}

/* False when the connection is broken. */
static bool
flush_output(MqttConnection *connection)
{
	size_t		sent = 0;

	while (sent < connection->output.length)
	{
		ssize_t		written = write_some(connection, connection->output.data + sent,
										 connection->output.length - sent);

		if (written < 0)
			return false;
		if (written == 0)
			break;
		sent += (size_t) written;
	}
	buffer_consume(&connection->output, sent);
	watch(connection, connection->output.length > 0);
	return true;
}

static void
finish_draining(MqttConnection *connection)
{
	if (connection->output.length > 0)
		return;
	if (connection->tls != NULL && SSL_is_init_finished(connection->tls))
		SSL_shutdown(connection->tls);
	shutdown(connection->source.fd, SHUT_WR);
}

static void
run_task(LoopTask *task)
{
	MqttConnection *connection = (MqttConnection *)
		((char *) task - offsetof(MqttConnection, task));

	if (connection->state == MQTT_CLOSED)
	{
		destroy(connection);
		return;
	}
	if (connection->source.fd < 0 || connection->state == MQTT_HANDSHAKE)
		return;
	if (!flush_output(connection))
		become_lost(connection);
	else if (connection->state == MQTT_DRAINING)
		finish_draining(connection);
	else if (connection->output.length > MQTT_MAX_UNSENT)
	{
		events->overflow(connection);
		become_closed(connection);
	}
}

Buffer *
mqtt_connection_output(MqttConnection *connection)
{
	loop_put_off(&connection->task);
	return &connection->output;
}

void
mqtt_connection_close(MqttConnection *connection)
{
	if (connection->state == MQTT_DRAINING || connection->state == MQTT_CLOSED)
		return;
	if (connection->source.fd < 0 || connection->state == MQTT_HANDSHAKE)
	{
		become_closed(connection);
		return;
	}
	connection->state = MQTT_DRAINING;
	loop_set_timer(&connection->timer, loop_now() + DRAIN_TIME);
	loop_put_off(&connection->task);
}

/* ------ reading ------ */

void
mqtt_connection_feed(MqttConnection *connection, const uint8_t *data, size_t length)
{
	size_t		used = 0;

	if (connection->state != MQTT_OPEN)
		return;
	buffer_append(&connection->input, data, length);
	while (connection->state == MQTT_OPEN)
	{
		const uint8_t *start = connection->input.data + used;
		MqttBytes	body;
		size_t		total;
		int			reason = mqtt_find_packet(start, connection->input.length - used,
											  &body, &total);

		if (reason != MQTT_OK)
			events->malformed(connection, reason);
		if (reason != MQTT_OK || total == 0)
			break;
		connection->last_packet = loop_now();
		events->packet(connection, start[0], body);
		used += total;
	}
	buffer_consume(&connection->input, used);
}

/* Bytes read, 0 if there are none now, -1 at the end. */
static ssize_t
read_some(MqttConnection *connection, uint8_t *data, size_t size)
{
	ssize_t		length;
	int			error;

	if (connection->tls == NULL)
	{
		length = recv(connection->source.fd, data, size, 0);
		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		return length > 0 ? length : -1;
	}
	ERR_clear_error();
	length = SSL_read(connection->tls, data, (int) size);
	if (length > 0)
		return length;
	error = SSL_get_error(connection->tls, (int) length);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void
continue_handshake(MqttConnection *connection)
{
	int			result;

	ERR_clear_error();
	result = SSL_do_handshake(connection->tls);
	if (result == 1)
	{
		connection->state = MQTT_OPEN;
		watch(connection, false);
		return;
	}
	switch (SSL_get_error(connection->tls, result))
	{
		case SSL_ERROR_WANT_READ:
			watch(connection, false);
			break;
		case SSL_ERROR_WANT_WRITE:
			watch(connection, true);
			break;
		default:
			become_lost(connection);
	}
}

/*
 * Has the kernel acknowledge at once what was read.  Many clients leave
 * Nagle's algorithm on: the second of two PUBACKs would wait for the
 * acknowledgement of the first, which the kernel would hold back for 40 ms.
 * The kernel forgets this setting, so it is renewed with each read.
 */
static void
acknowledge_quickly(const MqttConnection *connection)
{
	int			on = 1;

	setsockopt(connection->source.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void
read_input(MqttConnection *connection)
{
	static uint8_t data[READ_SIZE];

	acknowledge_quickly(connection);

	/* TLS may hold bytes that epoll does not see, so it is read to the end. */
	for (int i = 0; i < READS_PER_ROUND || connection->tls != NULL; i++)
	{
		ssize_t		length = read_some(connection, data, sizeof(data));

		if (length < 0)
			become_lost(connection);
		if (length <= 0)
			return;
		mqtt_connection_feed(connection, data, (size_t) length);
		if (connection->state == MQTT_CLOSED ||
			(connection->tls == NULL && (size_t) length < sizeof(data)))
			return;
	}
}

static void
handle_ready(LoopSource *source, uint32_t ready)
{
	MqttConnection *connection = (MqttConnection *) source;

	if (connection->state == MQTT_CLOSED)
		return;
	if (connection->state == MQTT_HANDSHAKE)
		continue_handshake(connection);
	if (connection->state == MQTT_HANDSHAKE || connection->state == MQTT_CLOSED)
		return;
	if (ready & EPOLLOUT)
		loop_put_off(&connection->task);
	read_input(connection);
}

static void
handle_timer(LoopTimer *timer)
{
	MqttConnection *connection = (MqttConnection *)
		((char *) timer - offsetof(MqttConnection, timer));

	if (connection->state == MQTT_DRAINING)
		become_closed(connection);
	else if (connection->state != MQTT_CLOSED)
		events->timer(connection);
}

/* ------ beginning and end ------ */

MqttConnection *
mqtt_connection_new(int fd, SSL_CTX *tls)
{
	MqttConnection *connection = memory_alloc(sizeof(MqttConnection));
	int			on = 1;

	loop_init_source(&connection->source, fd, handle_ready);
	connection->task.run = run_task;
	connection->timer.expired = handle_timer;
	connection->state = tls != NULL ? MQTT_HANDSHAKE : MQTT_OPEN;
	connection->last_packet = loop_now();
	connection->next = connections;
	connection->link = &connections;
	if (connections != NULL)
		connections->link = &connection->next;
	connections = connection;
	if (fd < 0)
		return connection;

	read_addresses(connection);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (tls != NULL)
	{
		connection->tls = SSL_new(tls);
		if (connection->tls == NULL || SSL_set_fd(connection->tls, fd) != 1)
		{
			become_closed(connection);
			return connection;
		}
		SSL_set_accept_state(connection->tls);
	}
	if (!loop_add(&connection->source, EPOLLIN))
		become_closed(connection);
	return connection;
}

void
mqtt_connection_close_all(void)
{
	while (connections != NULL)
		destroy(connections);
}
