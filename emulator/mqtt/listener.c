/*
 * listener.c
 *	  Listening sockets, and the MQTT ports.
 */
#include "mqtt/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "mqtt/mqtt_protocol.h"

#define BACKLOG 1024
#define MAX_LISTENERS 2

/* When there is no descriptor left, accept again after this; ms. */
#define ACCEPT_PAUSE 100

typedef struct MqttListener
{
	LoopSource	source;
	LoopTimer	timer;
	SSL_CTX    *tls;
} MqttListener;

static MqttListener listeners[MAX_LISTENERS];
static int	listener_count;

typedef union SocketAddress
{
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} SocketAddress;

static socklen_t
parse_address(const char *text, int port, SocketAddress *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1)
	{
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t) port);
		return sizeof(address->v4);
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1)
	{
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t) port);
		return sizeof(address->v6);
	}
	return 0;
}

int
listener_open(const char *text, int port)
{
	SocketAddress address;
	socklen_t	length = parse_address(text, port, &address);
	int			on = 1;
	int			fd;

	if (length == 0)
	{
		errno = EINVAL;
		return -1;
	}
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address.any, length) != 0 || listen(fd, BACKLOG) != 0)
	{
		int			error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

void
listener_announce(const char *name, int fd)
{
	SocketAddress address;
	socklen_t	length = sizeof(address);
	char		host[INET6_ADDRSTRLEN];

	memset(&address, 0, sizeof(address));
	getsockname(fd, &address.any, &length);
	if (address.any.sa_family == AF_INET6)
		printf("%s [%s]:%d\n", name,
			   inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host)),
			   ntohs(address.v6.sin6_port));
	else
		printf("%s %s:%d\n", name,
			   inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host)),
			   ntohs(address.v4.sin_port));
}

static void
accept_clients(LoopSource *source, uint32_t events)
{
	MqttListener *listener = (MqttListener *) source;

	(void) events;
	for (;;)
	{
		int			fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
		{
			mqtt_protocol_accept(fd, listener->tls);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN)
		{
			log_event("mqtt accept: %s", strerror(errno));
			loop_modify(source, 0);
			loop_set_timer(&listener->timer, loop_now() + ACCEPT_PAUSE);
		}
		return;
	}
}

static void
accept_again(LoopTimer *timer)
{
	MqttListener *listener = (MqttListener *)
		((char *) timer - offsetof(MqttListener, timer));

	loop_modify(&listener->source, EPOLLIN);
}

void
listener_start_mqtt(int fd, SSL_CTX *tls)
{
	MqttListener *listener = &listeners[listener_count++];

	loop_init_source(&listener->source, fd, accept_clients);
	listener->timer.expired = accept_again;
	listener->tls = tls;
	loop_add(&listener->source, EPOLLIN);
}

void
listener_stop(void)
{
	for (int i = 0; i < listener_count; i++)
	{
		loop_cancel_timer(&listeners[i].timer);
		loop_remove(&listeners[i].source);
		close(listeners[i].source.fd);
	}
	listener_count = 0;
}
