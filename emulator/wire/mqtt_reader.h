/*
 * mqtt_reader.h
 *	  What mqtt_packet.c and mqtt_property.c read with.
 */
#ifndef EMULATOR_MQTT_READER_H
#define EMULATOR_MQTT_READER_H

#include "wire/mqtt_packet.h"

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

extern MqttBytes mqtt_read_bytes(MqttReader *reader, size_t length);
extern unsigned mqtt_read_u8(MqttReader *reader);
extern unsigned mqtt_read_u16(MqttReader *reader);
extern uint32_t mqtt_read_u32(MqttReader *reader);
extern uint32_t mqtt_read_varint(MqttReader *reader);
extern MqttBytes mqtt_read_binary(MqttReader *reader);

/* Fails on what is not well-formed UTF-8. */
extern MqttBytes mqtt_read_string(MqttReader *reader);

/* A length and that many bytes of properties; MQTT_OK or a reason code. */
extern int	mqtt_read_properties(MqttReader *reader, unsigned context,
								 MqttProperties *properties);

#endif							/* EMULATOR_MQTT_READER_H */
