/*
 * message.c
 *	  A message on its way: topic, payload, MQTT 5 properties; shared by all who
 *	  are to get it.
 */
#include "broker/message.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"

Message *
message_new(const void *topic, size_t topic_length,
			const void *payload, size_t payload_length)
{
	Message    *message = memory_alloc(sizeof(Message));

	message->references = 1;
	message->topic = memory_copy_text(topic, topic_length);
	buffer_append(&message->payload, payload, payload_length);
	return message;
}

Message *
message_share(Message *message)
{
	message->references++;
	return message;
}

void
message_release(Message *message)
{
	if (message == NULL || --message->references > 0)
		return;
	free(message->topic);
	buffer_free(&message->payload);
	buffer_free(&message->properties);
	free(message);
}

void
message_set_expiry(Message *message, uint32_t seconds)
{
	message->expires = true;
	message->expires_at = loop_now() + (int64_t) seconds * 1000;
}

bool
message_is_expired(const Message *message)
{
	return message->expires && message->expires_at <= loop_now();
}

void
message_copy_properties(Message *message, const MqttProperties *properties)
{
	MqttReader	reader = {properties->block.data,
	properties->block.data + properties->block.length, false};
	unsigned	id;
	MqttBytes	whole,
				first,
				second;

	while (mqtt_next_property(&reader, &id, &whole, &first, &second))
	{
		if (id == MQTT_PAYLOAD_FORMAT_INDICATOR || id == MQTT_CONTENT_TYPE ||
			id == MQTT_RESPONSE_TOPIC || id == MQTT_CORRELATION_DATA ||
			id == MQTT_USER_PROPERTY)
			buffer_append(&message->properties, whole.data, whole.length);
	}
	if (mqtt_has_property(properties, MQTT_MESSAGE_EXPIRY_INTERVAL))
		message_set_expiry(message, properties->number[MQTT_MESSAGE_EXPIRY_INTERVAL]);
}

char *
message_user_properties(const Message *message)
{
	MqttReader	reader = {.at = message->properties.data};
	json_object *array = NULL;
	char	   *result = NULL;
	unsigned	id;
	MqttBytes	whole,
				name,
				value;

	/* no arithmetic with the NULL of an empty buffer */
	if (message->properties.length == 0)
		return NULL;
	reader.end = reader.at + message->properties.length;
	while (mqtt_next_property(&reader, &id, &whole, &name, &value))
	{
		json_object *pair;
		char	   *key;

		if (id != MQTT_USER_PROPERTY)
			continue;
		if (array == NULL)
			array = json_object_new_array();
		pair = json_object_new_object();
		key = memory_copy_text(name.data, name.length);
		json_object_object_add(pair, key,
							   json_object_new_string_len((const char *) value.data,
														  (int) value.length));
		json_object_array_add(array, pair);
		free(key);
	}
	if (array != NULL)
		result = memory_copy_string(json_object_to_json_string_ext(array,
																   JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(array);
	return result;
}

bool
message_append_publish(const Message *message, const MessageForm *form, Buffer *output)
{
	size_t		topic_length = strlen(message->topic);
	size_t		properties = message->properties.length + (message->expires ? 5 : 0);
	size_t		body = 2 + topic_length + (form->qos > 0 ? 2 : 0) + message->payload.length;

	if (form->version == MQTT_VERSION_5)
		body += mqtt_varint_size(properties) + properties;
	if (1 + mqtt_varint_size(body) + body > form->maximum_size)
		return false;
	mqtt_append_header(output, MQTT_PUBLISH << 4 | (form->duplicate ? 8 : 0) |
					   form->qos << 1 | (form->retain ? 1 : 0), body);
	mqtt_append_string(output, message->topic, topic_length);
	if (form->qos > 0)
		buffer_append_u16(output, form->packet_id);
	if (form->version == MQTT_VERSION_5)
	{
		mqtt_append_varint(output, properties);
		if (message->expires)
		{
			int64_t		left = message->expires_at - loop_now();

			buffer_append_u8(output, MQTT_MESSAGE_EXPIRY_INTERVAL);
			buffer_append_u32(output, left > 0 ? (uint32_t) ((left + 999) / 1000) : 0);
		}
		buffer_append(output, message->properties.data, message->properties.length);
	}
	buffer_append(output, message->payload.data, message->payload.length);
	return true;
}
