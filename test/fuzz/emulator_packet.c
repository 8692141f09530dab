/*
 * emulator_packet.c
 *		MQTT packets as bytes: what is read lies within the packet, and a
 *		property block that was accepted can be gone through.
 *
 * The input: a byte for the version, then packets one after the other.
 */
#include "base/text.h"
#include "fuzz.h"
#include "wire/mqtt_packet.h"

static void
check_within(MqttBytes whole, MqttBytes part)
{
	if (part.length == 0)
		return;
	CHECK(part.data >= whole.data && part.data + part.length <= whole.data + whole.length);
}

static void
check_string(MqttBytes whole, MqttBytes string)
{
	check_within(whole, string);
	CHECK(text_is_utf8(string.data, string.length));
}

static void
check_properties(MqttBytes whole, const MqttProperties *properties)
{
	MqttReader	reader;
	size_t		total = 0;
	uint64_t	present = 0;
	unsigned	id;
	MqttBytes	property;
	MqttBytes	first;
	MqttBytes	second;

	check_within(whole, properties->block);
	if (properties->block.data == NULL)
	{
		CHECK(properties->present == 0);
		return;
	}
	reader.at = properties->block.data;
	reader.end = reader.at + properties->block.length;
	reader.failed = false;
	while (mqtt_next_property(&reader, &id, &property, &first, &second))
	{
		CHECK(id > 0 && id < 43);
		check_within(properties->block, property);
		check_within(property, first);
		check_within(property, second);
		CHECK(id == MQTT_USER_PROPERTY || (present >> id & 1) == 0);
		present |= UINT64_C(1) << id;
		total += property.length;
	}
	CHECK(!reader.failed && total == properties->block.length);
	CHECK(present == properties->present);
}

static void
check_connect(MqttBytes body)
{
	MqttConnect connect;

	if (mqtt_parse_connect(body, &connect) != MQTT_OK)
		return;
	CHECK(connect.version == MQTT_VERSION_3_1_1 || connect.version == MQTT_VERSION_5);
	check_string(body, connect.client_id);
	check_properties(body, &connect.properties);
	if (connect.has_will)
	{
		CHECK(connect.will.qos <= 2);
		check_string(body, connect.will.topic);
		check_within(body, connect.will.payload);
		check_properties(body, &connect.will.properties);
	}
}

static void
check_publish(unsigned version, uint8_t header, MqttBytes body)
{
	MqttPublish publish;

	if (mqtt_parse_publish(version, header, body, &publish) != MQTT_OK)
		return;
	CHECK(publish.qos <= 2 && (publish.qos == 0) == (publish.packet_id == 0));
	check_string(body, publish.topic);
	check_within(body, publish.payload);
	check_properties(body, &publish.properties);
	/* header of the topic, packet id, properties, payload: it is all there */
	CHECK(2 + publish.topic.length + (publish.qos > 0 ? 2 : 0) + publish.payload.length +
		  (version == MQTT_VERSION_5 ? publish.properties.block.length + 1 : 0) <= body.length);
}

static void
check_filters(unsigned version, MqttBytes body, bool subscribe)
{
	MqttSubscribe packet;
	MqttFilter	filter;
	size_t		count = 0;
	int			reason = subscribe ? mqtt_parse_subscribe(version, body, &packet) :
		mqtt_parse_unsubscribe(version, body, &packet);

	if (reason != MQTT_OK)
		return;
	CHECK(packet.packet_id != 0);
	while (mqtt_next_filter(&packet.filters, version, subscribe, &filter))
	{
		check_string(body, filter.text);
		CHECK(filter.qos <= 2 && filter.retain_handling <= 2);
		count++;
	}
	/* what was accepted cannot fail now */
	CHECK(!packet.filters.failed && packet.filters.at == packet.filters.end);
	CHECK(count > 0 && count <= body.length / 2);
}

static void
check_disconnect(unsigned version, MqttBytes body)
{
	MqttDisconnect disconnect;
	uint16_t	packet_id;

	if (mqtt_parse_disconnect(version, body, &disconnect) == MQTT_OK)
	{
		CHECK(disconnect.reason <= 255);
		check_properties(body, &disconnect.properties);
	}
	if (mqtt_parse_puback(version, body, &packet_id) == MQTT_OK)
		CHECK(packet_id != 0 && body.length >= 2);
}

/* A body of its own, so that a read beyond it is seen. */
static void
check_packet(unsigned version, uint8_t header, MqttBytes packet)
{
	char	   *copy = fuzz_copy(packet.data, packet.length);
	MqttBytes	body = {(const uint8_t *) copy, packet.length};

	switch (header >> 4)
	{
		case MQTT_CONNECT:
			check_connect(body);
			break;
		case MQTT_PUBLISH:
			check_publish(version, header, body);
			break;
		case MQTT_SUBSCRIBE:
		case MQTT_UNSUBSCRIBE:
			check_filters(version, body, header >> 4 == MQTT_SUBSCRIBE);
			break;
		default:
			check_disconnect(version, body);
	}
	free(copy);
}

/* What is written reads as the same. */
static void
check_header(size_t length)
{
	Buffer		written = {0};
	MqttBytes	body;
	size_t		total;

	mqtt_append_header(&written, MQTT_PUBLISH << 4, length);
	CHECK(written.length == 1 + mqtt_varint_size(length));
	CHECK(mqtt_find_packet(written.data, written.length, &body, &total) ==
		  (written.length + length > MQTT_MAX_PACKET ? MQTT_PACKET_TOO_LARGE : MQTT_OK));
	buffer_free(&written);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, data + size};
	unsigned	version = (fuzz_byte(&input) & 1) ? MQTT_VERSION_5 : MQTT_VERSION_3_1_1;
	size_t		total = 0;

	while (fuzz_left(&input) > 0)
	{
		MqttBytes	body;
		int			reason = mqtt_find_packet(input.at, fuzz_left(&input), &body, &total);

		CHECK(total <= fuzz_left(&input) && (reason == MQTT_OK || total == 0));
		if (total == 0)
			break;
		CHECK(body.data + body.length == input.at + total);
		check_packet(version, input.at[0], body);
		input.at += total;
	}
	check_header(size * 40);
	return 0;
}
