/*
 * mqtt_reader.c
 *	  Bytes of an MQTT packet, read from start to end.
 *
 * A reader never goes past its end: a read that would sets failed and yields
 * nothing, so a parser may read on and look at failed once.
 */
#include "wire/mqtt_reader.h"

#include "base/text.h"

MqttBytes
mqtt_read_bytes(MqttReader *reader, size_t length)
{
	MqttBytes	result = {reader->at, length};

	if (length > (size_t) (reader->end - reader->at))
	{
		reader->failed = true;
		reader->at = result.data = reader->end;
		result.length = 0;
	}
	reader->at += result.length;
	return result;
}

unsigned
mqtt_read_u8(MqttReader *reader)
{
	MqttBytes	bytes = mqtt_read_bytes(reader, 1);

	return bytes.length == 1 ? bytes.data[0] : 0;
}

unsigned
mqtt_read_u16(MqttReader *reader)
{
	unsigned	high = mqtt_read_u8(reader);

	return high << 8 | mqtt_read_u8(reader);
}

uint32_t
mqtt_read_u32(MqttReader *reader)
{
	uint32_t	high = mqtt_read_u16(reader);

	return high << 16 | mqtt_read_u16(reader);
}

uint32_t
mqtt_read_varint(MqttReader *reader)
{
	uint32_t	value = 0;

	for (unsigned shift = 0; shift < 28; shift += 7)
	{
		unsigned	byte = mqtt_read_u8(reader);

		value |= (uint32_t) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	reader->failed = true;
	return 0;
}

MqttBytes
mqtt_read_binary(MqttReader *reader)
{
	return mqtt_read_bytes(reader, mqtt_read_u16(reader));
}

MqttBytes
mqtt_read_string(MqttReader *reader)
{
	MqttBytes	bytes = mqtt_read_binary(reader);

	if (!text_is_utf8(bytes.data, bytes.length))
		reader->failed = true;
	return bytes;
}
