/*
 * mqtt_subscribe.h
 *	  SUBSCRIBE and UNSUBSCRIBE.
 */
#ifndef EMULATOR_MQTT_SUBSCRIBE_H
#define EMULATOR_MQTT_SUBSCRIBE_H

#include "wire/mqtt_connection.h"

/* Per client; 0: no limit. */
extern void mqtt_set_max_subscriptions(size_t max_subscriptions);

/* Each returns MQTT_OK or the reason to disconnect the client. */
extern int	mqtt_handle_subscribe(MqttConnection *connection, MqttBytes body);
extern int	mqtt_handle_unsubscribe(MqttConnection *connection, MqttBytes body);

#endif							/* EMULATOR_MQTT_SUBSCRIBE_H */
