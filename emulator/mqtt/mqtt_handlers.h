/*
 * mqtt_handlers.h
 *	  What mqtt_protocol.c and the files of single packets share.
 */
#ifndef EMULATOR_MQTT_HANDLERS_H
#define EMULATOR_MQTT_HANDLERS_H

#include "wire/mqtt_connection.h"

/* The client broke the protocol: tells an MQTT 5 client why, and closes. */
extern void mqtt_protocol_fail(MqttConnection *connection, int code);

/* Sets the connection's timer by its keep-alive and its last packet. */
extern void mqtt_protocol_watch_keep_alive(MqttConnection *connection);

extern void mqtt_set_max_subscriptions(size_t max_subscriptions);

/* Each returns MQTT_OK or the reason to disconnect the client. */
extern int	mqtt_handle_connect(MqttConnection *connection, MqttBytes body);
extern int	mqtt_handle_subscribe(MqttConnection *connection, MqttBytes body);
extern int	mqtt_handle_unsubscribe(MqttConnection *connection, MqttBytes body);

#endif							/* EMULATOR_MQTT_HANDLERS_H */
