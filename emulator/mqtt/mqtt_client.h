/*
 * mqtt_client.h
 *	  How a client's connection is watched, and how it ends.
 */
#ifndef EMULATOR_MQTT_CLIENT_H
#define EMULATOR_MQTT_CLIENT_H

#include "broker/session.h"
#include "wire/mqtt_connection.h"

/*
 * The connection has ended or is about to: takes it from its session, if there
 * is one.  reason is one of AWS's disconnect reasons.
 */
extern void mqtt_client_leave(MqttConnection *connection, const char *reason);

/*
 * Disconnects the session's client, which must be connected: an MQTT 5 client
 * is told the code.  reason is one of AWS's disconnect reasons.
 */
extern void mqtt_client_disconnect(Session *session, unsigned code, const char *reason);

/* Every connected client, because the server ends. */
extern void mqtt_client_disconnect_all(void);

/* The client broke the protocol: tells an MQTT 5 client why, and closes. */
extern void mqtt_client_fail(MqttConnection *connection, int code);

/* Sets the connection's timer by its keep-alive and its last packet. */
extern void mqtt_client_watch_keep_alive(MqttConnection *connection);

/* The timer has expired: a client that has said nothing for too long must go. */
extern void mqtt_client_check_keep_alive(MqttConnection *connection);

#endif							/* EMULATOR_MQTT_CLIENT_H */
