/*
 * stamping_endpoint.c
 *		An HTTP server that takes every request, and writes down when it came.
 *
 * usage: stamping_endpoint DELAY LOG
 *
 * Each answer comes DELAY milliseconds after its request. LOG has a line for
 * each request: microseconds since 1970 when it was read, and its target. A
 * client whose ID begins with "dead" is not connected, any other one is. Prints
 * the port that it listens on, then "ready".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_ROUND 256
#define MAX_DESCRIPTORS 4096
#define MAX_REQUEST 4096

/* A connection has one request at a time. */
typedef struct Connection
{
	int			fd;
	size_t		length;
	char		request[MAX_REQUEST + 1];
	const char *answer;			/* NULL: it owes none */
	long		due;			/* of the answer */
	struct Connection *next;	/* whose answer is due after this one's */
} Connection;

static const char delivered[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	"Content-Length: 30\r\n\r\n{\"message\":\"OK\",\"traceId\":\"t\"}";
static const char not_found[] = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
	"x-amzn-ErrorType: ResourceNotFoundException\r\nContent-Length: 27\r\n\r\n"
	"{\"message\":\"not connected\"}";

static Connection *connections[MAX_DESCRIPTORS];
static Connection *first_due;
static Connection *last_due;
static int	epoll_fd;
static int	listener;
static long delay;				/* microseconds */
static FILE *stamps;

static void
check(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

static long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN,.data.fd = fd};

	check(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void
start_listening(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	length = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(listener, "socket");
	check(bind(listener, (struct sockaddr *) &address, length), "bind");
	check(listen(listener, 1024), "listen");
	check(getsockname(listener, (struct sockaddr *) &address, &length), "getsockname");
	watch(listener);
	printf("http://127.0.0.1:%d\nready\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void
take_connection(void)
{
	int			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int			on = 1;

	check(fd, "accept");
	if (fd >= MAX_DESCRIPTORS)
		exit(1);
	check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "setsockopt");
	connections[fd] = calloc(1, sizeof(Connection));
	connections[fd]->fd = fd;
	watch(fd);
}

static void
answer(Connection *connection)
{
	size_t		length = strlen(connection->answer);

	check(write(connection->fd, connection->answer, length) == (ssize_t) length ? 0 : -1, "write");
	connection->answer = NULL;
}

/* Is the whole request there? */
static int
is_whole(Connection *connection)
{
	const char *end = strstr(connection->request, "\r\n\r\n");
	const char *field = strcasestr(connection->request, "\r\ncontent-length:");
	size_t		body = field != NULL && field < end ? strtoul(field + 17, NULL, 10) : 0;

	return end != NULL && connection->length >= (size_t) (end + 4 - connection->request) + body;
}

static void
take_request(Connection *connection, long at)
{
	char	   *target = strchr(connection->request, ' ');

	if (target == NULL)
		exit(1);
	target++;
	fprintf(stamps, "%ld %.*s\n", at, (int) strcspn(target, " "), target);
	connection->answer = strncmp(target, "/connections/dead", 17) == 0 ? not_found : delivered;
	connection->length = 0;
	if (delay == 0)
	{
		answer(connection);
		return;
	}
	connection->due = at + delay;
	connection->next = NULL;
	if (first_due == NULL)
		first_due = connection;
	else
		last_due->next = connection;
	last_due = connection;
}

static void
hear(int fd)
{
	Connection *connection = connections[fd];
	ssize_t		got = read(fd, connection->request + connection->length,
						   MAX_REQUEST - connection->length);

	/* an answer that is owed has nobody to go to: that is not expected here */
	if (got <= 0 && connection->answer != NULL)
		exit(1);
	if (got <= 0)
	{
		close(fd);
		free(connection);
		connections[fd] = NULL;
		return;
	}
	connection->length += (size_t) got;
	connection->request[connection->length] = '\0';
	if (is_whole(connection))
		take_request(connection, now());
	else if (connection->length == MAX_REQUEST)
		exit(1);
}

/* Give the answers that are due. Returns the time until the next one, or NULL. */
static const struct timespec *
answer_due(struct timespec *left)
{
	long		at = now();

	while (first_due != NULL && first_due->due <= at)
	{
		Connection *connection = first_due;

		first_due = connection->next;
		answer(connection);
	}
	if (first_due == NULL)
		return NULL;
	left->tv_sec = (first_due->due - at) / 1000000;
	left->tv_nsec = (first_due->due - at) % 1000000 * 1000;
	return left;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
	{
		fprintf(stderr, "usage: stamping_endpoint DELAY LOG\n");
		return 2;
	}
	delay = atol(argv[1]) * 1000;
	/* appending, so that it can be emptied meanwhile */
	stamps = fopen(argv[2], "a");
	if (stamps == NULL)
		return 1;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	start_listening();
	for (;;)
	{
		struct epoll_event events[EVENTS_PER_ROUND];
		struct timespec left;
		int			count;

		fflush(stamps);
		count = epoll_pwait2(epoll_fd, events, EVENTS_PER_ROUND, answer_due(&left), NULL);
		check(count < 0 && errno == EINTR ? 0 : count, "epoll_pwait2");
		for (int i = 0; i < count; i++)
		{
			if (events[i].data.fd == listener)
				take_connection();
			else
				hear(events[i].data.fd);
		}
	}
}
