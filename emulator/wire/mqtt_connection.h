/*
 * mqtt_connection.h
 *	  One MQTT client's network connection: plain or TLS, packets out of bytes,
 *	  bytes out of a bounded buffer.
 */
#ifndef EMULATOR_MQTT_CONNECTION_H
#define EMULATOR_MQTT_CONNECTION_H

#include <openssl/ssl.h>

#include "base/loop.h"
#include "base/memory.h"
#include "wire/mqtt_packet.h"

/* A client that lets more than this wait for it does not read. */
#define MQTT_MAX_UNSENT (4 * 1024 * 1024)

typedef struct NetworkAddress
{
	char		host[46];
	int			port;
} NetworkAddress;

typedef enum MqttConnectionState
{
	MQTT_HANDSHAKE,				/* TLS */
	MQTT_OPEN,
	MQTT_DRAINING,				/* no more packets; see mqtt_connection.c */
	MQTT_CLOSED					/* to be freed at the end of the round */
} MqttConnectionState;

struct Session;

typedef struct MqttConnection
{
	LoopSource	source;
	LoopTask	task;
	LoopTimer	timer;			/* CONNECT, keep-alive, draining */
	struct MqttConnection *next;
	struct MqttConnection **link;
	MqttConnectionState state;
	bool		wants_write;
	SSL		   *tls;			/* NULL: plain */
	Buffer		input;
	Buffer		output;
	NetworkAddress source_address;
	NetworkAddress target_address;
	int64_t		last_packet;	/* loop_now()'s clock */

	/* What CONNECT said; version is 0 before it. */
	unsigned	version;
	unsigned	keep_alive;
	unsigned	receive_maximum;
	size_t		maximum_packet;
	struct Session *session;	/* NULL before CONNECT and after the end */
} MqttConnection;

/* What the layer above does when something happens. */
typedef struct MqttConnectionEvents
{
	void		(*packet) (MqttConnection *connection, uint8_t header, MqttBytes body);
	void		(*malformed) (MqttConnection *connection, int reason);
	void		(*lost) (MqttConnection *connection);
	void		(*overflow) (MqttConnection *connection);
	void		(*timer) (MqttConnection *connection);
} MqttConnectionEvents;

extern void mqtt_connection_set_events(const MqttConnectionEvents *events);

/*
 * Takes over a connected, non-blocking socket; tls is NULL for a plain one.
 * With fd -1 the connection has no network: bytes come by feed, and output
 * stays in the buffer.
 */
extern MqttConnection *mqtt_connection_new(int fd, SSL_CTX *tls);

/* Bytes from the client; hands out the packets in them. */
extern void mqtt_connection_feed(MqttConnection *connection, const uint8_t *data,
								 size_t length);

/* Where to append packets; they leave at the end of the round. */
extern Buffer *mqtt_connection_output(MqttConnection *connection);

/* No more packets are handed out; sends what is waiting, then closes. */
extern void mqtt_connection_close(MqttConnection *connection);

/* At the end of the program. */
extern void mqtt_connection_close_all(void);

#endif							/* EMULATOR_MQTT_CONNECTION_H */
