/*
 * delivery.h
 *	  Messages on their way to one client: in flight, waiting, confirmed.
 */
#ifndef EMULATOR_DELIVERY_H
#define EMULATOR_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/message.h"
#include "wire/mqtt_connection.h"

struct Outgoing;

/* AWS's limit on unacknowledged messages to one client. */
#define DELIVERY_MAX_IN_FLIGHT 100

/* Of ordinary QoS 1 messages; one more is dropped. */
#define DELIVERY_MAX_WAITING 100

typedef struct OutgoingList
{
	struct Outgoing *first;
	struct Outgoing *last;
	size_t		count;
} OutgoingList;

typedef struct Delivery
{
	const char *client_id;		/* for the log; its owner's */
	MqttConnection *connection; /* NULL: the client is away */
	OutgoingList in_flight;		/* sent, no PUBACK yet; oldest first */
	OutgoingList waiting;		/* for the client, or for room in flight */
	uint16_t	last_packet_id;
} Delivery;

/*
 * An ordinary message.  QoS 0 goes to a connected client or nowhere; QoS 1
 * waits for one that is away.
 */
extern void delivery_send(Delivery *delivery, Message *message, unsigned qos,
						  bool retain);

/* A direct message at QoS 0; the client must be connected. */
extern void delivery_send_direct(Delivery *delivery, Message *message);

/*
 * A direct message at QoS 1; the client must be connected.  done is called
 * once, never before this returns: true on the client's PUBACK, false after
 * timeout milliseconds or when the connection ends first.
 */
extern void delivery_send_confirmed(Delivery *delivery, Message *message,
									int64_t timeout,
									void (*done) (void *argument, bool confirmed),
									void *argument);

/* False when no message of this packet id is in flight. */
extern bool delivery_acknowledge(Delivery *delivery, uint16_t packet_id);

/* The client has (re)connected: sends what waits for it. */
extern void delivery_resume(Delivery *delivery, MqttConnection *connection);

/* The client is gone: what was in flight waits, direct messages end. */
extern void delivery_suspend(Delivery *delivery);

/* Drops everything. */
extern void delivery_clear(Delivery *delivery);

#endif							/* EMULATOR_DELIVERY_H */
