/*
 * mqtt_packet.c
 *	  MQTT 3.1.1 and 5 packets as bytes: bounded reading and writing.
 */
#include "wire/mqtt_packet.h"

#include <string.h>

int
mqtt_find_packet(const uint8_t *data, size_t length, MqttBytes *body, size_t *total)
{
	size_t		size = 0;

	*total = 0;
	for (size_t i = 1; i <= 4; i++)
	{
		if (i >= length)
			return MQTT_OK;
		size |= (size_t) (data[i] & 0x7f) << (7 * (i - 1));
		if (data[i] & 0x80)
			continue;
		if (i + 1 + size > MQTT_MAX_PACKET)
			return MQTT_PACKET_TOO_LARGE;
		if (length < i + 1 + size)
			return MQTT_OK;
		body->data = data + i + 1;
		body->length = size;
		*total = i + 1 + size;
		return MQTT_OK;
	}
	return MQTT_MALFORMED_PACKET;
}

/* ------ reading ------ */

static int
parse_will(MqttReader *reader, unsigned version, unsigned flags, MqttWill *will)
{
	int			reason;

	will->qos = flags >> 3 & 3;
	will->retain = (flags & 0x20) != 0;
	if (will->qos > 2)
		return MQTT_MALFORMED_PACKET;
	if (version == MQTT_VERSION_5)
	{
		reason = mqtt_read_properties(reader, MQTT_IN_WILL, &will->properties);
		if (reason != MQTT_OK)
			return reason;
	}
	will->topic = mqtt_read_string(reader);
	will->payload = mqtt_read_binary(reader);
	return reader->failed ? MQTT_MALFORMED_PACKET : MQTT_OK;
}

/* User name and password are read and ignored. */
static int
skip_credentials(MqttReader *reader, unsigned version, unsigned flags)
{
	if ((flags & 0xc0) == 0x40 && version == MQTT_VERSION_3_1_1)
		return MQTT_PROTOCOL_ERROR;
	if (flags & 0x80)
		mqtt_read_string(reader);
	if (flags & 0x40)
		mqtt_read_binary(reader);
	return reader->failed ? MQTT_MALFORMED_PACKET : MQTT_OK;
}

int
mqtt_parse_connect(MqttBytes body, MqttConnect *connect)
{
	MqttReader	reader = {body.data, body.data + body.length, false};
	MqttBytes	protocol = mqtt_read_string(&reader);
	unsigned	version = mqtt_read_u8(&reader);
	unsigned	flags = mqtt_read_u8(&reader);
	int			reason;

	memset(connect, 0, sizeof(*connect));
	if (reader.failed || protocol.length != 4 || memcmp(protocol.data, "MQTT", 4) != 0)
		return MQTT_MALFORMED_PACKET;
	if (version != MQTT_VERSION_3_1_1 && version != MQTT_VERSION_5)
		return MQTT_UNSUPPORTED_VERSION;
	connect->version = version;
	connect->clean_start = (flags & 0x02) != 0;
	connect->has_will = (flags & 0x04) != 0;
	if ((flags & 0x01) || (!connect->has_will && (flags & 0x38)))
		return MQTT_MALFORMED_PACKET;
	connect->keep_alive = (uint16_t) mqtt_read_u16(&reader);
	if (version == MQTT_VERSION_5)
	{
		reason = mqtt_read_properties(&reader, MQTT_IN_CONNECT, &connect->properties);
		if (reason != MQTT_OK)
			return reason;
	}
	connect->client_id = mqtt_read_string(&reader);
	if (connect->has_will)
	{
		reason = parse_will(&reader, version, flags, &connect->will);
		if (reason != MQTT_OK)
			return reason;
	}
	reason = skip_credentials(&reader, version, flags);
	if (reason == MQTT_OK && reader.at != reader.end)
		reason = MQTT_MALFORMED_PACKET;
	return reason;
}

int
mqtt_parse_publish(unsigned version, uint8_t header, MqttBytes body, MqttPublish *publish)
{
	MqttReader	reader = {body.data, body.data + body.length, false};
	int			reason;

	memset(publish, 0, sizeof(*publish));
	publish->qos = header >> 1 & 3;
	publish->retain = (header & 1) != 0;
	if (publish->qos == 3 || (publish->qos == 0 && (header & 8)))
		return MQTT_MALFORMED_PACKET;
	publish->topic = mqtt_read_string(&reader);
	if (publish->qos > 0)
	{
		publish->packet_id = (uint16_t) mqtt_read_u16(&reader);
		if (publish->packet_id == 0)
			return MQTT_MALFORMED_PACKET;
	}
	if (version == MQTT_VERSION_5)
	{
		reason = mqtt_read_properties(&reader, MQTT_IN_PUBLISH, &publish->properties);
		if (reason != MQTT_OK)
			return reason;
	}
	if (reader.failed)
		return MQTT_MALFORMED_PACKET;
	publish->payload = mqtt_read_bytes(&reader, (size_t) (reader.end - reader.at));
	return MQTT_OK;
}

int
mqtt_parse_puback(unsigned version, MqttBytes body, uint16_t *packet_id)
{
	MqttReader	reader = {body.data, body.data + body.length, false};
	MqttProperties properties;

	*packet_id = (uint16_t) mqtt_read_u16(&reader);
	if (reader.failed || *packet_id == 0)
		return MQTT_MALFORMED_PACKET;
	if (version == MQTT_VERSION_5 && reader.at < reader.end)
	{
		mqtt_read_u8(&reader);	/* the reason */
		if (reader.at < reader.end)
		{
			int			reason = mqtt_read_properties(&reader, MQTT_IN_PUBACK, &properties);

			if (reason != MQTT_OK)
				return reason;
		}
	}
	return reader.at == reader.end ? MQTT_OK : MQTT_MALFORMED_PACKET;
}

static int
parse_filters(unsigned version, MqttBytes body, bool with_options, unsigned context,
			  MqttSubscribe *subscribe)
{
	MqttReader	reader = {body.data, body.data + body.length, false};
	MqttProperties properties;
	MqttFilter	filter;
	int			count = 0;

	subscribe->packet_id = (uint16_t) mqtt_read_u16(&reader);
	if (reader.failed || subscribe->packet_id == 0)
		return MQTT_MALFORMED_PACKET;
	if (version == MQTT_VERSION_5)
	{
		int			reason = mqtt_read_properties(&reader, context, &properties);

		if (reason != MQTT_OK)
			return reason;
		if (mqtt_has_property(&properties, MQTT_SUBSCRIPTION_IDENTIFIER))
			return MQTT_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED;
	}
	subscribe->filters = reader;
	while (mqtt_next_filter(&reader, version, with_options, &filter))
		count++;
	if (reader.failed)
		return MQTT_MALFORMED_PACKET;
	return count > 0 ? MQTT_OK : MQTT_PROTOCOL_ERROR;
}

int
mqtt_parse_subscribe(unsigned version, MqttBytes body, MqttSubscribe *subscribe)
{
	return parse_filters(version, body, true, MQTT_IN_SUBSCRIBE, subscribe);
}

int
mqtt_parse_unsubscribe(unsigned version, MqttBytes body, MqttSubscribe *unsubscribe)
{
	return parse_filters(version, body, false, MQTT_IN_UNSUBSCRIBE, unsubscribe);
}

bool
mqtt_next_filter(MqttReader *filters, unsigned version, bool with_options,
				 MqttFilter *filter)
{
	unsigned	options;

	if (filters->at == filters->end || filters->failed)
		return false;
	memset(filter, 0, sizeof(*filter));
	filter->text = mqtt_read_string(filters);
	if (with_options)
	{
		options = mqtt_read_u8(filters);
		filter->qos = options & 3;
		filter->no_local = (options & 0x04) != 0;
		filter->retain_as_published = (options & 0x08) != 0;
		filter->retain_handling = options >> 4 & 3;
		if (filter->qos == 3 || filter->retain_handling == 3 ||
			(options & (version == MQTT_VERSION_5 ? 0xc0 : 0xfc)) != 0)
			filters->failed = true;
	}
	return !filters->failed;
}

int
mqtt_parse_disconnect(unsigned version, MqttBytes body, MqttDisconnect *disconnect)
{
	MqttReader	reader = {body.data, body.data + body.length, false};

	memset(disconnect, 0, sizeof(*disconnect));
	if (version == MQTT_VERSION_5 && reader.at < reader.end)
	{
		disconnect->reason = mqtt_read_u8(&reader);
		if (reader.at < reader.end)
		{
			int			reason = mqtt_read_properties(&reader, MQTT_IN_DISCONNECT,
													  &disconnect->properties);

			if (reason != MQTT_OK)
				return reason;
		}
	}
	return reader.at == reader.end ? MQTT_OK : MQTT_MALFORMED_PACKET;
}

/* ------ writing ------ */

size_t
mqtt_varint_size(size_t value)
{
	return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

void
mqtt_append_varint(Buffer *buffer, size_t value)
{
	do
	{
		unsigned	byte = value & 0x7f;

		value >>= 7;
		buffer_append_u8(buffer, value > 0 ? byte | 0x80 : byte);
	} while (value > 0);
}

void
mqtt_append_string(Buffer *buffer, const void *bytes, size_t length)
{
	buffer_append_u16(buffer, (unsigned) length);
	buffer_append(buffer, bytes, length);
}

void
mqtt_append_header(Buffer *buffer, unsigned first_byte, size_t body_length)
{
	buffer_append_u8(buffer, first_byte);
	mqtt_append_varint(buffer, body_length);
}
