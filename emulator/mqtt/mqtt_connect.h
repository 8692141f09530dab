/*
 * mqtt_connect.h
 *	  CONNECT: who the client is, whose session it takes up, and CONNACK.
 */
#ifndef EMULATOR_MQTT_CONNECT_H
#define EMULATOR_MQTT_CONNECT_H

#include "wire/mqtt_connection.h"

/* MQTT_OK, or the reason to disconnect the client, which CONNACK has told it. */
extern int	mqtt_handle_connect(MqttConnection *connection, MqttBytes body);

#endif							/* EMULATOR_MQTT_CONNECT_H */
