/*
 * mqtt_protocol.h
 *	  What the broker answers to each packet of a client.
 */
#ifndef EMULATOR_MQTT_PROTOCOL_H
#define EMULATOR_MQTT_PROTOCOL_H

#include "wire/mqtt_connection.h"

/* Before the first connection; max_subscriptions per client, 0: no limit. */
extern void mqtt_protocol_init(size_t max_subscriptions);

/* A new connection; tls is NULL for a plain one, fd -1 for none (tests). */
extern MqttConnection *mqtt_protocol_accept(int fd, SSL_CTX *tls);

#endif							/* EMULATOR_MQTT_PROTOCOL_H */
