/*
 * mqtt_property.c
 *	  The properties of MQTT 5, read by a table: which type each has, and in
 *	  which of the packets a client sends it may stand.
 */
#include "wire/mqtt_property.h"

#include <string.h>

#include "wire/mqtt_reason.h"

typedef enum PropertyType
{
	PROPERTY_UNKNOWN,
	PROPERTY_BYTE,				/* 0 or 1 in all that clients send */
	PROPERTY_U16,
	PROPERTY_U32,
	PROPERTY_VARINT,
	PROPERTY_STRING,
	PROPERTY_BINARY,
	PROPERTY_PAIR
} PropertyType;

typedef struct PropertyRule
{
	PropertyType type;
	unsigned	contexts;
	bool		not_zero;
} PropertyRule;

#define IN_MESSAGE (MQTT_IN_WILL | MQTT_IN_PUBLISH)
#define IN_ALL 0x7f

static const PropertyRule rules[] = {
	[MQTT_PAYLOAD_FORMAT_INDICATOR] = {PROPERTY_BYTE, IN_MESSAGE, false},
	[MQTT_MESSAGE_EXPIRY_INTERVAL] = {PROPERTY_U32, IN_MESSAGE, false},
	[MQTT_CONTENT_TYPE] = {PROPERTY_STRING, IN_MESSAGE, false},
	[MQTT_RESPONSE_TOPIC] = {PROPERTY_STRING, IN_MESSAGE, false},
	[MQTT_CORRELATION_DATA] = {PROPERTY_BINARY, IN_MESSAGE, false},
	[MQTT_SUBSCRIPTION_IDENTIFIER] = {PROPERTY_VARINT, MQTT_IN_SUBSCRIBE, true},
	[MQTT_SESSION_EXPIRY_INTERVAL] = {PROPERTY_U32, MQTT_IN_CONNECT | MQTT_IN_DISCONNECT, false},
	[MQTT_AUTHENTICATION_METHOD] = {PROPERTY_STRING, MQTT_IN_CONNECT, false},
	[MQTT_AUTHENTICATION_DATA] = {PROPERTY_BINARY, MQTT_IN_CONNECT, false},
	[MQTT_REQUEST_PROBLEM_INFORMATION] = {PROPERTY_BYTE, MQTT_IN_CONNECT, false},
	[MQTT_WILL_DELAY_INTERVAL] = {PROPERTY_U32, MQTT_IN_WILL, false},
	[MQTT_REQUEST_RESPONSE_INFORMATION] = {PROPERTY_BYTE, MQTT_IN_CONNECT, false},
	[MQTT_REASON_STRING] = {PROPERTY_STRING, MQTT_IN_PUBACK | MQTT_IN_DISCONNECT, false},
	[MQTT_RECEIVE_MAXIMUM] = {PROPERTY_U16, MQTT_IN_CONNECT, true},
	[MQTT_TOPIC_ALIAS_MAXIMUM] = {PROPERTY_U16, MQTT_IN_CONNECT, false},
	[MQTT_TOPIC_ALIAS] = {PROPERTY_U16, MQTT_IN_PUBLISH, false},
	[MQTT_USER_PROPERTY] = {PROPERTY_PAIR, IN_ALL, false},
	[MQTT_MAXIMUM_PACKET_SIZE] = {PROPERTY_U32, MQTT_IN_CONNECT, true},
};

static const PropertyRule *
find_rule(unsigned id)
{
	if (id >= sizeof(rules) / sizeof(rules[0]) || rules[id].type == PROPERTY_UNKNOWN)
		return NULL;
	return &rules[id];
}

static uint32_t
read_value(MqttReader *reader, PropertyType type, MqttBytes *first, MqttBytes *second)
{
	switch (type)
	{
		case PROPERTY_BYTE:
			return mqtt_read_u8(reader);
		case PROPERTY_U16:
			return mqtt_read_u16(reader);
		case PROPERTY_U32:
			return mqtt_read_u32(reader);
		case PROPERTY_VARINT:
			return mqtt_read_varint(reader);
		case PROPERTY_STRING:
			*first = mqtt_read_string(reader);
			return 0;
		case PROPERTY_BINARY:
			*first = mqtt_read_binary(reader);
			return 0;
		case PROPERTY_PAIR:
			*first = mqtt_read_string(reader);
			*second = mqtt_read_string(reader);
			return 0;
		case PROPERTY_UNKNOWN:
			break;
	}
	reader->failed = true;
	return 0;
}

static int
read_property(MqttReader *reader, unsigned context, MqttProperties *properties)
{
	MqttBytes	first,
				second;
	uint32_t	id = mqtt_read_varint(reader);
	const PropertyRule *rule = find_rule(id);
	uint32_t	value;

	if (reader->failed || rule == NULL)
		return MQTT_MALFORMED_PACKET;
	value = read_value(reader, rule->type, &first, &second);
	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	if ((rule->contexts & context) == 0 ||
		(rule->not_zero && value == 0) ||
		(rule->type == PROPERTY_BYTE && value > 1) ||
		(id != MQTT_USER_PROPERTY && mqtt_has_property(properties, id)))
		return MQTT_PROTOCOL_ERROR;
	properties->present |= UINT64_C(1) << id;
	properties->number[id] = value;
	return MQTT_OK;
}

int
mqtt_read_properties(MqttReader *reader, unsigned context, MqttProperties *properties)
{
	uint32_t	length = mqtt_read_varint(reader);
	MqttBytes	block = mqtt_read_bytes(reader, length);
	MqttReader	inner = {block.data, block.data + block.length, false};

	memset(properties, 0, sizeof(*properties));
	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	properties->block = block;
	while (inner.at < inner.end)
	{
		int			reason = read_property(&inner, context, properties);

		if (reason != MQTT_OK)
			return reason;
	}
	return MQTT_OK;
}

bool
mqtt_next_property(MqttReader *reader, unsigned *id, MqttBytes *whole,
				   MqttBytes *first, MqttBytes *second)
{
	const uint8_t *start = reader->at;
	const PropertyRule *rule;

	first->data = second->data = start;
	first->length = second->length = 0;
	if (reader->at == reader->end)
		return false;
	*id = mqtt_read_varint(reader);
	rule = find_rule(*id);
	if (rule == NULL)
		return false;
	read_value(reader, rule->type, first, second);
	whole->data = start;
	whole->length = (size_t) (reader->at - start);
	return !reader->failed;
}
