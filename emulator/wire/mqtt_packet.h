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

/* Reason codes of MQTT 5. */
enum MqttReason
{
	MQTT_OK = 0x00,
	MQTT_DISCONNECT_WITH_WILL = 0x04,
	MQTT_NO_SUBSCRIPTION_EXISTED = 0x11,
	MQTT_MALFORMED_PACKET = 0x81,
	MQTT_PROTOCOL_ERROR = 0x82,
	MQTT_UNSUPPORTED_VERSION = 0x84,
	MQTT_CLIENT_ID_NOT_VALID = 0x85,
	MQTT_SERVER_SHUTTING_DOWN = 0x8b,
	MQTT_BAD_AUTHENTICATION_METHOD = 0x8c,
	MQTT_KEEP_ALIVE_TIMEOUT = 0x8d,
	MQTT_SESSION_TAKEN_OVER = 0x8e,
	MQTT_TOPIC_FILTER_INVALID = 0x8f,
	MQTT_TOPIC_NAME_INVALID = 0x90,
	MQTT_TOPIC_ALIAS_INVALID = 0x94,
	MQTT_PACKET_TOO_LARGE = 0x95,
	MQTT_QUOTA_EXCEEDED = 0x97,
	MQTT_ADMINISTRATIVE_ACTION = 0x98,
	MQTT_QOS_NOT_SUPPORTED = 0x9b,
	MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9e,
	MQTT_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xa1
};

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

/* A property block: the numbers in it, and the block itself. */
typedef struct MqttProperties
{
	MqttBytes	block;
	uint64_t	present;		/* bit n: property n */
	uint32_t	number[43];		/* of properties that are a number */
} MqttProperties;

#define mqtt_has_property(properties, id) (((properties)->present >> (id)) & 1)

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

/* One property after the other of a block that was parsed; false at the end. */
extern bool mqtt_next_property(MqttReader *reader, unsigned *id, MqttBytes *whole,
							   MqttBytes *first, MqttBytes *second);

extern size_t mqtt_varint_size(size_t value);
extern void mqtt_append_varint(Buffer *buffer, size_t value);
extern void mqtt_append_string(Buffer *buffer, const void *bytes, size_t length);

/* The fixed header; the body of that length is to follow. */
extern void mqtt_append_header(Buffer *buffer, unsigned first_byte, size_t body_length);

#endif							/* EMULATOR_MQTT_PACKET_H */
