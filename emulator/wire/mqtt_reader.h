/*
 * mqtt_reader.h
 *	  Bytes of an MQTT packet, read from start to end.
 */
#ifndef EMULATOR_MQTT_READER_H
#define EMULATOR_MQTT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MqttBytes
{
	const uint8_t *data;
	size_t		length;
} MqttBytes;

/* Reads run into the end at most, and then failed is set. */
typedef struct MqttReader
{
	const uint8_t *at;
	const uint8_t *end;
	bool		failed;
} MqttReader;

extern MqttBytes mqtt_read_bytes(MqttReader *reader, size_t length);
extern unsigned mqtt_read_u8(MqttReader *reader);
extern unsigned mqtt_read_u16(MqttReader *reader);
extern uint32_t mqtt_read_u32(MqttReader *reader);
extern uint32_t mqtt_read_varint(MqttReader *reader);
extern MqttBytes mqtt_read_binary(MqttReader *reader);

/* Fails on what is not well-formed UTF-8. */
extern MqttBytes mqtt_read_string(MqttReader *reader);

#endif							/* EMULATOR_MQTT_READER_H */
