/*
 * world.c
 *		The emulator without sockets: its clock, its chance and its network are
 *		the fuzz target's.
 *
 * A connection is freed by its own task, at the end of the round in which it
 * was closed. So that no pointer to it stays, a task of ours is put off before
 * anything else of the round, and looks at each connection first.
 */
#include "world.h"

#include <json-c/json.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/loop.h"
#include "base/text.h"
#include "broker/retained.h"
#include "broker/session.h"
#include "fuzz.h"
#include "http/http.h"
#include "mqtt/mqtt_client.h"
#include "mqtt/mqtt_protocol.h"

#define MAX_REQUESTS 64

extern int	fuzz_clock_gettime(clockid_t clock, struct timespec *when);
extern ssize_t fuzz_getrandom(void *buffer, size_t length, unsigned flags);
extern int	fuzz_epoll_wait(int fd, struct epoll_event *events, int size, int timeout);
extern int	fuzz_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
					   const sigset_t *signals);

extern void __wrap_mqtt_connection_set_events(const MqttConnectionEvents *events);
extern void __real_mqtt_connection_set_events(const MqttConnectionEvents *events);
extern void __wrap_http_answer(HttpRequest *request, int status, const char *error,
							   Buffer *body);
extern void __real_http_answer(HttpRequest *request, int status, const char *error,
							   Buffer *body);

typedef struct WorldRequest
{
	HttpRequest http;			/* first, so that it can be cast back */
	char	   *text;			/* what the request points into */
	bool		handled;
} WorldRequest;

WorldClient world_clients[WORLD_CLIENTS];
Buffer		world_answers;

static int64_t clock_now;		/* milliseconds since FUZZ_TIME */
static uint64_t chance;
static const MqttConnectionEvents *connection_events;
static WorldRequest *requests[MAX_REQUESTS];
static int	request_count;
static const ApiOptions *options;
static bool (*step_function) (void *argument);
static void *step_argument;

/* ---- what the emulator asks of its surroundings ---- */

int
fuzz_clock_gettime(clockid_t clock, struct timespec *when)
{
	int64_t		begin = (clock == CLOCK_REALTIME) ? FUZZ_TIME : 1000;

	when->tv_sec = begin + clock_now / 1000;
	when->tv_nsec = clock_now % 1000 * 1000000;
	return 0;
}

/* The same each time. */
ssize_t
fuzz_getrandom(void *buffer, size_t length, unsigned flags)
{
	unsigned char *bytes = buffer;

	(void) flags;
	for (size_t i = 0; i < length; i++)
	{
		chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		bytes[i] = (unsigned char) (chance >> 56);
	}
	return (ssize_t) length;
}

void
__wrap_mqtt_connection_set_events(const MqttConnectionEvents *events)
{
	connection_events = events;
	__real_mqtt_connection_set_events(events);
}

/* ---- what clients receive ---- */

/* A number of a packet's length; false when it is not complete. */
static bool
read_length(const uint8_t *data, size_t length, size_t *at, size_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 28; shift += 7)
	{
		if (*at == length)
			return false;
		*value |= (size_t) (data[*at] & 0x7f) << shift;
		if ((data[(*at)++] & 0x80) == 0)
			return true;
	}
	CHECK(!"a length of more than four bytes");
	return false;
}

static void
check_connack(WorldClient *client, const MqttConnection *connection, const uint8_t *body,
			  size_t length)
{
	CHECK(!client->accepted && length >= 2 && body[0] <= 1);
	if (body[1] != 0)
	{
		CHECK(body[0] == 0 && length == (body[1] < 0x80 ? 2 : 3));
		client->ended = true;
		return;
	}
	CHECK(connection->version == 4 || connection->version == 5);
	CHECK(length == 2 || connection->version == 5);
	client->accepted = true;
	client->version = connection->version;
}

static void
check_publish(const WorldClient *client, const MqttConnection *connection, uint8_t header,
			  const uint8_t *body, size_t length)
{
	MqttPublish publish;
	MqttBytes	bytes = {body, length};

	CHECK(mqtt_parse_publish(client->version, header, bytes, &publish) == MQTT_OK);
	CHECK(publish.qos <= 1 && publish.topic.length > 0);
	CHECK(!mqtt_has_property(&publish.properties, MQTT_TOPIC_ALIAS));
	CHECK(1 + mqtt_varint_size(length) + length <= connection->maximum_packet);
}

/* One packet that the emulator sent: may it, and is it whole? */
static void
check_packet(WorldClient *client, const MqttConnection *connection, uint8_t header,
			 const uint8_t *body, size_t length)
{
	unsigned	type = header >> 4;

	CHECK(!client->ended);
	CHECK(client->accepted || type == MQTT_CONNACK);
	CHECK(type == MQTT_PUBLISH || (header & 15) == 0);
	switch (type)
	{
		case MQTT_CONNACK:
			check_connack(client, connection, body, length);
			break;
		case MQTT_PUBLISH:
			check_publish(client, connection, header, body, length);
			break;
		case MQTT_PUBACK:
			CHECK(length == 2 && (body[0] | body[1]) != 0);
			break;
		case MQTT_SUBACK:
			CHECK(length >= (client->version == 5 ? 4 : 3) && (body[0] | body[1]) != 0);
			break;
		case MQTT_UNSUBACK:
			CHECK(client->version == 5 ? length >= 4 : length == 2);
			break;
		case MQTT_PINGRESP:
			CHECK(length == 0);
			break;
		case MQTT_DISCONNECT:
			CHECK(client->version == 5 && length == 1 && (body[0] & 0x80) != 0);
			client->ended = true;
			break;
		default:
			CHECK(!"a packet that no server sends");
	}
}

/* The emulator writes packets as a whole, so there is never a part of one. */
static void
check_received(WorldClient *client)
{
	const uint8_t *data = client->received.data;
	size_t		length = client->received.length;

	while (client->checked < length)
	{
		size_t		at = client->checked + 1;
		size_t		body;

		CHECK(read_length(data, length, &at, &body));
		CHECK(body <= length - at);
		check_packet(client, client->connection, data[client->checked], data + at, body);
		client->checked = at + body;
	}
}

static void
check_connection(const MqttConnection *connection)
{
	const Session *session = connection->session;
	size_t		room = connection->receive_maximum < DELIVERY_MAX_IN_FLIGHT ?
		connection->receive_maximum : DELIVERY_MAX_IN_FLIGHT;

	CHECK(connection->input.length < MQTT_MAX_PACKET);
	if (session == NULL)
		return;
	CHECK(session->connection == connection && session->alive);
	CHECK(session->subscriber.delivery.in_flight.count <= room);
	CHECK(session_find(session->client_id) == session);
}

/* Takes what was written to a client; lets go of a connection that is closed. */
static void
look_at(WorldClient *client)
{
	MqttConnection *connection = client->connection;

	buffer_append(&client->received, connection->output.data, connection->output.length);
	buffer_consume(&connection->output, connection->output.length);
	check_received(client);
	if (connection->state == MQTT_CLOSED)
	{
		CHECK(connection->session == NULL);
		client->connection = NULL;
		/* so that two connections differ from one */
		buffer_append(&client->received, "\xf0", 2);
		client->checked = client->received.length;
	}
	else
		check_connection(connection);
}

static void
look_at_all(LoopTask *task)
{
	(void) task;
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
	{
		if (world_clients[i].connection != NULL)
			look_at(&world_clients[i]);
	}
}

static LoopTask look_task = {.run = look_at_all};

/* ---- the step's means ---- */

void
world_wait(int64_t milliseconds)
{
	clock_now += milliseconds;
}

void
world_feed(unsigned number, const uint8_t *bytes, size_t length)
{
	WorldClient *client = &world_clients[number % WORLD_CLIENTS];

	if (client->connection == NULL)
	{
		client->connection = mqtt_protocol_accept(-1, NULL);
		client->accepted = client->ended = false;
		strcpy(client->connection->source_address.host, "127.0.0.1");
		strcpy(client->connection->target_address.host, "::1");
	}
	mqtt_connection_feed(client->connection, bytes, length);
}

void
world_lose(unsigned number)
{
	WorldClient *client = &world_clients[number % WORLD_CLIENTS];

	if (client->connection == NULL || client->connection->state != MQTT_OPEN)
		return;
	connection_events->lost(client->connection);
	mqtt_connection_close(client->connection);
}

void
world_forget(void)
{
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
	{
		buffer_free(&world_clients[i].received);
		memset(&world_clients[i], 0, sizeof(world_clients[i]));
	}
	buffer_free(&world_answers);
}

/* ---- requests ---- */

/* A JSON object, and without a secret. */
static void
check_body(int status, const Buffer *body)
{
	json_tokener *tokener = json_tokener_new();
	json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, (const char *) body->data, (int) body->length);
	CHECK(json_object_is_type(object, json_type_object));
	CHECK(json_tokener_get_parse_end(tokener) == body->length);
	if (status != 200)
		CHECK(json_object_object_get(object, "message") != NULL);
	CHECK(memmem(body->data, body->length, options->keys.secret_access_key,
				 strlen(options->keys.secret_access_key)) == NULL);
	json_object_put(object);
	json_tokener_free(tokener);
}

/* Only a success can be without a body. */
static void
check_answer(int status, const char *error, const Buffer *body)
{
	static const int statuses[] = {200, 400, 403, 404, 405, 413, 504};
	bool		known = false;

	for (size_t i = 0; i < LENGTH_OF(statuses); i++)
		known = known || statuses[i] == status;
	CHECK(known && (status == 200) == (error == NULL));
	if (status != 200 || body->length > 0)
		check_body(status, body);
}

void
__wrap_http_answer(HttpRequest *request, int status, const char *error, Buffer *body)
{
	char		line[64];

	CHECK(request->status == 0);
	__real_http_answer(request, status, error, body);
	CHECK(body->data == NULL && request->status == status);
	check_answer(status, error, &request->answer);
	snprintf(line, sizeof(line), "%d %s ", status, error != NULL ? error : "-");
	buffer_append_string(&world_answers, line);
	buffer_append(&world_answers, request->answer.data, request->answer.length);
	buffer_append(&world_answers, "\n", 1);
}

/* What libmicrohttpd would have split off: "METHOD TARGET" in the first line. */
static bool
split_first_line(HttpRequest *http, char *line)
{
	char	   *blank = strchr(line, ' ');

	if (blank == NULL || blank == line || blank[1] == '\0')
		return false;
	*blank = '\0';
	http->method = line;
	http->target = blank + 1;
	return true;
}

static void
split_header(HttpRequest *http, char *line)
{
	char	   *colon = strchr(line, ':');

	if (colon == NULL || http->header_count == HTTP_MAX_HEADERS - 1)
		return;
	*colon++ = '\0';
	while (*colon == ' ')
		colon++;
	http->headers[http->header_count++] = (SignatureHeader) {line, colon};
}

/* "text" is altered, and stays with the request. */
static bool
split_request(HttpRequest *http, char *text, size_t length)
{
	char	   *line = text;
	char	   *end = text + length;
	bool		first = true;

	while (line < end)
	{
		char	   *mark = memchr(line, '\n', (size_t) (end - line));

		if (mark == NULL)
			mark = end;			/* where there is a NUL already */
		*mark = '\0';
		if (line[0] == '\0')
		{
			line = mark + 1;
			break;
		}
		if (!first)
			split_header(http, line);
		else if (!split_first_line(http, line))
			return false;
		first = false;
		line = mark + 1;
	}
	if (line < end)
	{
		http->body_length = (size_t) (end - line);
		buffer_append(&http->body, line, http->body_length);
	}
	SHA256(http->body.length > 0 ? http->body.data : (const uint8_t *) "", http->body.length,
		   http->body_hash);
	return !first;
}

static void
free_request(WorldRequest *request)
{
	buffer_free(&request->http.body);
	buffer_free(&request->http.answer);
	free(request->text);
	free(request);
}

bool
world_request(const uint8_t *text, size_t length)
{
	WorldRequest *request;

	if (request_count == MAX_REQUESTS)
		return false;
	request = memory_alloc(sizeof(WorldRequest));
	request->text = fuzz_text(text, length);
	text_make_uuid(request->http.id);
	if (!split_request(&request->http, request->text, length))
	{
		free_request(request);
		return false;
	}
	requests[request_count++] = request;
	api_handle(&request->http);
	return true;
}

static void
end_requests(void)
{
	for (int i = 0; i < request_count; i++)
	{
		CHECK(requests[i]->http.status != 0);
		free_request(requests[i]);
	}
	request_count = 0;
}

/* ---- a run ---- */

/* The loop's way to wait for less than a millisecond: fuzz_epoll_wait is next. */
int
fuzz_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		   const sigset_t *signals)
{
	(void) fds;
	(void) count;
	(void) signals;
	CHECK(timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 && timeout->tv_nsec < 1000000000);
	return 0;
}

int
fuzz_epoll_wait(int fd, struct epoll_event *events, int size, int timeout)
{
	(void) fd;
	(void) events;
	(void) size;
	CHECK(timeout >= -1);
	loop_put_off(&look_task);
	if (!step_function(step_argument))
		loop_stop();
	return 0;
}

void
world_run(const ApiOptions *with, bool (*step) (void *argument), void *argument)
{
	options = with;
	step_function = step;
	step_argument = argument;
	clock_now = 0;
	chance = 1;
	loop_init();
	api_init(options);
	session_set_retention(1800);
	mqtt_protocol_init(50);

	loop_run();

	/* as main.c ends it */
	loop_put_off(&look_task);
	mqtt_client_disconnect_all();
	session_free_all();
	end_requests();
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		world_clients[i].connection = NULL;
	mqtt_connection_close_all();
	retained_free_all();
	loop_free();
}
