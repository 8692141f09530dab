/*
 * mqtt_protocol.c
 *	  What the broker answers to each packet of a client, but CONNECT
 *	  (mqtt_connect.c) and SUBSCRIBE and UNSUBSCRIBE (mqtt_subscribe.c).
 */
#include "mqtt/mqtt_protocol.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/router.h"
#include "broker/session.h"
#include "broker/topic.h"
#include "mqtt/mqtt_client.h"
#include "mqtt/mqtt_connect.h"
#include "mqtt/mqtt_subscribe.h"

/* A client that does not send CONNECT in this time is disconnected; ms. */
#define CONNECT_TIME 10000

static int
handle_publish(MqttConnection *connection, uint8_t header, MqttBytes body)
{
	MqttPublish publish;
	Message    *message;
	int			reason = mqtt_parse_publish(connection->version, header, body, &publish);
	bool		valid_topic;

	if (reason != MQTT_OK)
		return reason;
	if (publish.qos > 1)
		return MQTT_QOS_NOT_SUPPORTED;
	if (mqtt_has_property(&publish.properties, MQTT_TOPIC_ALIAS))
		return MQTT_TOPIC_ALIAS_INVALID;
	if (publish.payload.length > MESSAGE_MAX_PAYLOAD)
		return MQTT_PACKET_TOO_LARGE;

	message = message_new(publish.topic.data, publish.topic.length,
						  publish.payload.data, publish.payload.length);
	valid_topic = topic_is_name(message->topic);
	if (valid_topic)
	{
		message->qos = publish.qos;
		message->retain = publish.retain;
		if (connection->version == MQTT_VERSION_5)
			message_copy_properties(message, &publish.properties);
		router_publish(message, &connection->session->subscriber);
	}
	message_release(message);
	if (!valid_topic)
		return MQTT_TOPIC_NAME_INVALID;
	if (publish.qos == 1)
	{
		Buffer	   *output = mqtt_connection_output(connection);

		mqtt_append_header(output, MQTT_PUBACK << 4, 2);
		buffer_append_u16(output, publish.packet_id);
	}
	return MQTT_OK;
}

static int
handle_puback(MqttConnection *connection, MqttBytes body)
{
	uint16_t	packet_id;
	int			reason = mqtt_parse_puback(connection->version, body, &packet_id);
	bool		known;

	if (reason != MQTT_OK)
		return reason;
	known = delivery_acknowledge(&connection->session->subscriber.delivery, packet_id);
	if (log_enabled())
		log_event("mqtt puback %s %u%s", log_text(connection->session->client_id),
				  packet_id, known ? "" : " unknown");
	return MQTT_OK;
}

static int
handle_disconnect(MqttConnection *connection, MqttBytes body)
{
	Session    *session = connection->session;
	MqttDisconnect disconnect;
	int			reason = mqtt_parse_disconnect(connection->version, body, &disconnect);

	if (reason != MQTT_OK)
		return reason;
	if (mqtt_has_property(&disconnect.properties, MQTT_SESSION_EXPIRY_INTERVAL))
	{
		uint32_t	expiry = disconnect.properties.number[MQTT_SESSION_EXPIRY_INTERVAL];

		/* A session that was to end with its connection cannot be kept now. */
		if (session->expiry == 0 && expiry > 0)
			return MQTT_PROTOCOL_ERROR;
		session->expiry = expiry < SESSION_MAX_EXPIRY ? expiry : SESSION_MAX_EXPIRY;
		session->clean = session->expiry == 0;
	}
	if (disconnect.reason != MQTT_DISCONNECT_WITH_WILL)
		session_drop_will(session);
	mqtt_client_leave(connection, "CLIENT_INITIATED_DISCONNECT");
	mqtt_connection_close(connection);
	return MQTT_OK;
}

static void
handle_ping(MqttConnection *connection)
{
	mqtt_append_header(mqtt_connection_output(connection), MQTT_PINGRESP << 4, 0);
}

/* The low four bits of the first byte are fixed for all but PUBLISH. */
static bool
has_valid_flags(uint8_t header)
{
	unsigned	type = header >> 4;

	if (type == MQTT_PUBLISH)
		return true;
	return (header & 0x0f) == (type == MQTT_SUBSCRIBE || type == MQTT_UNSUBSCRIBE ? 2 : 0);
}

static int
dispatch(MqttConnection *connection, uint8_t header, MqttBytes body)
{
	if (!has_valid_flags(header))
		return MQTT_MALFORMED_PACKET;
	switch (header >> 4)
	{
		case MQTT_PUBLISH:
			return handle_publish(connection, header, body);
		case MQTT_PUBACK:
			return handle_puback(connection, body);
		case MQTT_SUBSCRIBE:
			return mqtt_handle_subscribe(connection, body);
		case MQTT_UNSUBSCRIBE:
			return mqtt_handle_unsubscribe(connection, body);
		case MQTT_PINGREQ:
			if (body.length != 0)
				return MQTT_MALFORMED_PACKET;
			handle_ping(connection);
			return MQTT_OK;
		case MQTT_DISCONNECT:
			return handle_disconnect(connection, body);
		default:
			return MQTT_PROTOCOL_ERROR;
	}
}

static void
handle_packet(MqttConnection *connection, uint8_t header, MqttBytes body)
{
	int			reason;

	if (connection->session != NULL)
		reason = dispatch(connection, header, body);
	else if (header == MQTT_CONNECT << 4)
		reason = mqtt_handle_connect(connection, body);
	else
		reason = MQTT_PROTOCOL_ERROR;
	if (reason != MQTT_OK)
		mqtt_client_fail(connection, reason);
}

/* Before CONNECT it is CONNECT that is waited for. */
static void
handle_timer(MqttConnection *connection)
{
	if (connection->session == NULL)
		mqtt_client_fail(connection, MQTT_PROTOCOL_ERROR);
	else
		mqtt_client_check_keep_alive(connection);
}

static void
handle_lost(MqttConnection *connection)
{
	mqtt_client_leave(connection, "CONNECTION_LOST");
}

/* The caller closes the connection: nothing more can be written. */
static void
handle_overflow(MqttConnection *connection)
{
	mqtt_client_leave(connection, "SERVER_INITIATED_DISCONNECT");
}

static const MqttConnectionEvents events = {
	.packet = handle_packet,
	.malformed = mqtt_client_fail,
	.lost = handle_lost,
	.overflow = handle_overflow,
	.timer = handle_timer
};

void
mqtt_protocol_init(size_t max_subscriptions)
{
	mqtt_set_max_subscriptions(max_subscriptions);
	mqtt_connection_set_events(&events);
}

MqttConnection *
mqtt_protocol_accept(int fd, SSL_CTX *tls)
{
	MqttConnection *connection = mqtt_connection_new(fd, tls);

	loop_set_timer(&connection->timer, loop_now() + CONNECT_TIME);
	return connection;
}
