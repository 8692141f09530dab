/*
 * mqtt_packet.h
 *	  MQTT 3.1.1 and 5 packets as bytes: bounded reading and writing.
 *
 * Nothing here knows of sockets or sessions.  A parser gets the body of one
 * packet (what follows the fixed header) and returns MQTT_OK or the reason
 * code that MQTT 5 has for what is wrong.  What it yields points into the
 * body.
 */
#ifndef EMULATOR_MQTT_PACKET_H
#define EMULATOR_MQTT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "wire/mqtt_property.h"
#include "wire/mqtt_reader.h"
#include "wire/mqtt_reason.h"

/* AWS's limit: 128 KiB of payload and what goes around it. */
#define MQTT_MAX_PACKET 149504

#define MQTT_VERSION_3_1_1 4
#define MQTT_VERSION_5 5

enum MqttPacketType
{
	MQTT_CONNECT = 1,
	MQTT_CONNACK = 2,
	MQTT_PUBLISH = 3,
	MQTT_PUBACK = 4,
	MQTT_SUBSCRIBE = 8,
	MQTT_SUBACK = 9,
	MQTT_UNSUBSCRIBE = 10,
	MQTT_UNSUBACK = 11,
	MQTT_PINGREQ = 12,
	MQTT_PINGRESP = 13,
	MQTT_DISCONNECT = 14
};

typedef struct MqttWill
{
	MqttProperties properties;
	MqttBytes	topic;
	MqttBytes	payload;
	unsigned	qos;
	bool		retain;
} MqttWill;

typedef struct MqttConnect
{
	unsigned	version;		/* MQTT_VERSION_..., also when the rest failed */
	bool		clean_start;
	bool		has_will;
	uint16_t	keep_alive;
	MqttProperties properties;
	MqttBytes	client_id;
	MqttWill	will;
} MqttConnect;

typedef struct MqttPublish
{
	unsigned	qos;
	bool		retain;
	uint16_t	packet_id;
	MqttBytes	topic;
	MqttProperties properties;
	MqttBytes	payload;
} MqttPublish;

typedef struct MqttSubscribe	/* and UNSUBSCRIBE */
{
	uint16_t	packet_id;
	MqttReader	filters;		/* for mqtt_next_filter */
} MqttSubscribe;

typedef struct MqttFilter
{
	MqttBytes	text;
	unsigned	qos;
	bool		no_local;
	bool		retain_as_published;
	unsigned	retain_handling;
} MqttFilter;

typedef struct MqttDisconnect
{
	unsigned	reason;
	MqttProperties properties;
} MqttDisconnect;

/*
 * Looks for a whole packet at the start of data.  MQTT_OK with *total 0: more
 * bytes are needed.
 */
extern int	mqtt_find_packet(const uint8_t *data, size_t length,
							 MqttBytes *body, size_t *total);

extern int	mqtt_parse_connect(MqttBytes body, MqttConnect *connect);
extern int	mqtt_parse_publish(unsigned version, uint8_t header, MqttBytes body,
							   MqttPublish *publish);
extern int	mqtt_parse_puback(unsigned version, MqttBytes body, uint16_t *packet_id);

/* Goes through all filters once, so that mqtt_next_filter cannot fail later. */
extern int	mqtt_parse_subscribe(unsigned version, MqttBytes body,
								 MqttSubscribe *subscribe);
extern int	mqtt_parse_unsubscribe(unsigned version, MqttBytes body,
								   MqttSubscribe *unsubscribe);
extern int	mqtt_parse_disconnect(unsigned version, MqttBytes body,
								  MqttDisconnect *disconnect);

/* False at the end, or (with filters->failed) when what is there is no filter. */
extern bool mqtt_next_filter(MqttReader *filters, unsigned version, bool with_options,
							 MqttFilter *filter);

extern size_t mqtt_varint_size(size_t value);
extern void mqtt_append_varint(Buffer *buffer, size_t value);
extern void mqtt_append_string(Buffer *buffer, const void *bytes, size_t length);

/* The fixed header; the body of that length is to follow. */
extern void mqtt_append_header(Buffer *buffer, unsigned first_byte, size_t body_length);

#endif							/* EMULATOR_MQTT_PACKET_H */
