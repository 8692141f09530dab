/*
 * mqtt_property.h
 *	  The properties of MQTT 5.
 */
#ifndef EMULATOR_MQTT_PROPERTY_H
#define EMULATOR_MQTT_PROPERTY_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/mqtt_reader.h"

enum MqttProperty
{
	MQTT_PAYLOAD_FORMAT_INDICATOR = 1,
	MQTT_MESSAGE_EXPIRY_INTERVAL = 2,
	MQTT_CONTENT_TYPE = 3,
	MQTT_RESPONSE_TOPIC = 8,
	MQTT_CORRELATION_DATA = 9,
	MQTT_SUBSCRIPTION_IDENTIFIER = 11,
	MQTT_SESSION_EXPIRY_INTERVAL = 17,
	MQTT_ASSIGNED_CLIENT_IDENTIFIER = 18,
	MQTT_AUTHENTICATION_METHOD = 21,
	MQTT_AUTHENTICATION_DATA = 22,
	MQTT_REQUEST_PROBLEM_INFORMATION = 23,
	MQTT_WILL_DELAY_INTERVAL = 24,
	MQTT_REQUEST_RESPONSE_INFORMATION = 25,
	MQTT_REASON_STRING = 31,
	MQTT_RECEIVE_MAXIMUM = 33,
	MQTT_TOPIC_ALIAS_MAXIMUM = 34,
	MQTT_TOPIC_ALIAS = 35,
	MQTT_MAXIMUM_QOS = 36,
	MQTT_RETAIN_AVAILABLE = 37,
	MQTT_USER_PROPERTY = 38,
	MQTT_MAXIMUM_PACKET_SIZE = 39,
	MQTT_WILDCARD_SUBSCRIPTION_AVAILABLE = 40,
	MQTT_SUBSCRIPTION_IDENTIFIERS_AVAILABLE = 41,
	MQTT_SHARED_SUBSCRIPTION_AVAILABLE = 42
};

/* Where a property block stands, for what is allowed in it. */
enum MqttContext
{
	MQTT_IN_CONNECT = 1,
	MQTT_IN_WILL = 2,
	MQTT_IN_PUBLISH = 4,
	MQTT_IN_PUBACK = 8,
	MQTT_IN_SUBSCRIBE = 16,
	MQTT_IN_UNSUBSCRIBE = 32,
	MQTT_IN_DISCONNECT = 64
};

/* A property block: the numbers in it, and the block itself. */
typedef struct MqttProperties
{
	MqttBytes	block;
	uint64_t	present;		/* bit n: property n */
	uint32_t	number[43];		/* of properties that are a number */
} MqttProperties;

#define mqtt_has_property(properties, id) (((properties)->present >> (id)) & 1)

/* A length and that many bytes of properties; MQTT_OK or a reason code. */
extern int	mqtt_read_properties(MqttReader *reader, unsigned context,
								 MqttProperties *properties);

/* One property after the other of a block that was parsed; false at the end. */
extern bool mqtt_next_property(MqttReader *reader, unsigned *id, MqttBytes *whole,
							   MqttBytes *first, MqttBytes *second);

#endif							/* EMULATOR_MQTT_PROPERTY_H */
