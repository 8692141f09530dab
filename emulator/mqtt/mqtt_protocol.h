/*
 * mqtt_protocol.h
 *	  What the broker answers to each packet of a client.
 */
#ifndef EMULATOR_MQTT_PROTOCOL_H
#define EMULATOR_MQTT_PROTOCOL_H

#include "broker/session.h"
#include "wire/mqtt_connection.h"

/* AWS's limit on client IDs, in bytes. */
#define MQTT_MAX_CLIENT_ID 128

/* Before the first connection; max_subscriptions per client, 0: no limit. */
extern void mqtt_protocol_init(size_t max_subscriptions);

/* A new connection; tls is NULL for a plain one, fd -1 for none (tests). */
extern MqttConnection *mqtt_protocol_accept(int fd, SSL_CTX *tls);

/*
 * Disconnects the session's client, which must be connected: an MQTT 5 client
 * is told the code.  reason is one of AWS's disconnect reasons.
 */
extern void mqtt_protocol_disconnect(Session *session, unsigned code, const char *reason);

/* Every connected client, because the server ends. */
extern void mqtt_protocol_disconnect_all(void);

#endif							/* EMULATOR_MQTT_PROTOCOL_H */
