/*
 * mqtt_connect.c
 *	  CONNECT: who the client is, whose session it takes up, and CONNACK.
 */
#include "mqtt/mqtt_connect.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "broker/session.h"
#include "broker/topic.h"
#include "mqtt/mqtt_client.h"

/* CONNACK's return codes in MQTT 3.1.1 for the reason codes of 5. */
static unsigned
old_return_code(int reason)
{
	switch (reason)
	{
		case MQTT_UNSUPPORTED_VERSION:
			return 1;
		case MQTT_CLIENT_ID_NOT_VALID:
			return 2;
		default:
			return 5;
	}
}

/*
 * CONNACK with an error.  A client of neither version gets 3.1.1's, as the
 * older standard has it.
 */
static void
refuse(MqttConnection *connection, unsigned version, int reason)
{
	Buffer	   *output = mqtt_connection_output(connection);

	if (version == MQTT_VERSION_5)
	{
		mqtt_append_header(output, MQTT_CONNACK << 4, 3);
		buffer_append_u8(output, 0);
		buffer_append_u8(output, (unsigned) reason);
		buffer_append_u8(output, 0);
	}
	else
	{
		mqtt_append_header(output, MQTT_CONNACK << 4, 2);
		buffer_append_u8(output, 0);
		buffer_append_u8(output, old_return_code(reason));
	}
}

/* What is allowed by the packet's form, but not here. */
static int
check_connect(const MqttConnect *connect, const char *will_topic)
{
	if (connect->client_id.length > SESSION_MAX_CLIENT_ID)
		return MQTT_CLIENT_ID_NOT_VALID;
	if (connect->client_id.length > 0 && connect->client_id.data[0] == '$')
		return MQTT_CLIENT_ID_NOT_VALID;
	if (connect->client_id.length == 0 && connect->version == MQTT_VERSION_3_1_1 &&
		!connect->clean_start)
		return MQTT_CLIENT_ID_NOT_VALID;
	if (mqtt_has_property(&connect->properties, MQTT_AUTHENTICATION_METHOD))
		return MQTT_BAD_AUTHENTICATION_METHOD;
	if (connect->has_will && connect->will.qos > 1)
		return MQTT_QOS_NOT_SUPPORTED;
	if (connect->has_will && !topic_is_name(will_topic))
		return MQTT_TOPIC_NAME_INVALID;
	return MQTT_OK;
}

static uint32_t
session_expiry(const MqttConnect *connect)
{
	uint32_t	expiry;

	if (connect->version == MQTT_VERSION_3_1_1)
		return connect->clean_start ? 0 : SESSION_DEFAULT_EXPIRY;
	expiry = connect->properties.number[MQTT_SESSION_EXPIRY_INTERVAL];
	return expiry < SESSION_MAX_EXPIRY ? expiry : SESSION_MAX_EXPIRY;
}

static void
take_limits(MqttConnection *connection, const MqttConnect *connect)
{
	const MqttProperties *properties = &connect->properties;

	connection->version = connect->version;
	connection->keep_alive = connect->keep_alive;
	connection->receive_maximum = 65535;
	connection->maximum_packet = SIZE_MAX;
	if (mqtt_has_property(properties, MQTT_RECEIVE_MAXIMUM))
		connection->receive_maximum = properties->number[MQTT_RECEIVE_MAXIMUM];
	if (mqtt_has_property(properties, MQTT_MAXIMUM_PACKET_SIZE))
		connection->maximum_packet = properties->number[MQTT_MAXIMUM_PACKET_SIZE];
}

static void
take_will(Session *session, const MqttConnect *connect)
{
	const MqttWill *will = &connect->will;
	Message    *message;

	if (!connect->has_will)
		return;
	message = message_new(will->topic.data, will->topic.length,
						  will->payload.data, will->payload.length);
	message->qos = will->qos;
	message->retain = will->retain;
	if (connect->version == MQTT_VERSION_5)
		message_copy_properties(message, &will->properties);
	session_set_will(session, message, will->properties.number[MQTT_WILL_DELAY_INTERVAL]);
}

static void
append_u32_property(Buffer *buffer, unsigned id, uint32_t value)
{
	buffer_append_u8(buffer, id);
	buffer_append_u32(buffer, value);
}

static void
append_u8_property(Buffer *buffer, unsigned id, unsigned value)
{
	buffer_append_u8(buffer, id);
	buffer_append_u8(buffer, value);
}

static void
accept_client(MqttConnection *connection, const Session *session, bool present,
			  bool assigned)
{
	Buffer	   *output = mqtt_connection_output(connection);
	Buffer		properties = {0};

	if (connection->version == MQTT_VERSION_3_1_1)
	{
		mqtt_append_header(output, MQTT_CONNACK << 4, 2);
		buffer_append_u8(output, present ? 1 : 0);
		buffer_append_u8(output, 0);
		return;
	}
	append_u32_property(&properties, MQTT_SESSION_EXPIRY_INTERVAL, session->expiry);
	append_u8_property(&properties, MQTT_MAXIMUM_QOS, 1);
	append_u8_property(&properties, MQTT_RETAIN_AVAILABLE, 1);
	append_u32_property(&properties, MQTT_MAXIMUM_PACKET_SIZE, MQTT_MAX_PACKET);
	append_u8_property(&properties, MQTT_WILDCARD_SUBSCRIPTION_AVAILABLE, 1);
	append_u8_property(&properties, MQTT_SUBSCRIPTION_IDENTIFIERS_AVAILABLE, 0);
	append_u8_property(&properties, MQTT_SHARED_SUBSCRIPTION_AVAILABLE, 0);
	if (assigned)
	{
		buffer_append_u8(&properties, MQTT_ASSIGNED_CLIENT_IDENTIFIER);
		mqtt_append_string(&properties, session->client_id, strlen(session->client_id));
	}
	mqtt_append_header(output, MQTT_CONNACK << 4,
					   2 + mqtt_varint_size(properties.length) + properties.length);
	buffer_append_u8(output, present ? 1 : 0);
	buffer_append_u8(output, 0);
	mqtt_append_varint(output, properties.length);
	buffer_append(output, properties.data, properties.length);
	buffer_free(&properties);
}

static void
begin(MqttConnection *connection, const MqttConnect *connect)
{
	bool		assigned = connect->client_id.length == 0;
	char		uuid[37];
	char	   *client_id;
	Session    *session;
	bool		present;

	text_make_uuid(uuid);
	client_id = assigned ? memory_copy_string(uuid) :
		memory_copy_text(connect->client_id.data, connect->client_id.length);
	take_limits(connection, connect);
	session = session_find(client_id);
	if (session != NULL && session->connection != NULL)
		mqtt_client_disconnect(session, MQTT_SESSION_TAKEN_OVER, "DUPLICATE_CLIENTID");
	session = session_begin(connection, client_id, connect->clean_start,
							session_expiry(connect), &present);
	free(client_id);
	take_will(session, connect);
	if (log_enabled())
		log_event("mqtt connected %s version %s %s:%d", log_text(session->client_id),
				  connect->version == MQTT_VERSION_5 ? "5" : "3.1.1",
				  connection->source_address.host, connection->source_address.port);
	accept_client(connection, session, present, assigned);
	delivery_resume(&session->subscriber.delivery, connection);
	mqtt_client_watch_keep_alive(connection);
}

int
mqtt_handle_connect(MqttConnection *connection, MqttBytes body)
{
	MqttConnect connect;
	char	   *will_topic;
	int			reason = mqtt_parse_connect(body, &connect);

	if (reason == MQTT_OK)
	{
		will_topic = memory_copy_text(connect.will.topic.data, connect.will.topic.length);
		reason = check_connect(&connect, will_topic);
		free(will_topic);
	}
	if (reason == MQTT_OK)
		begin(connection, &connect);
	else if (reason == MQTT_UNSUPPORTED_VERSION || connect.version != 0)
		refuse(connection, connect.version, reason);
	return reason;
}
