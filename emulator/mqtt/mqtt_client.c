/*
 * mqtt_client.c
 *	  How a client's connection is watched, and how it ends.
 *
 * Every way a connection can end comes through mqtt_client_leave(): the
 * session is told why, and then has no connection any more.
 */
#include "mqtt/mqtt_client.h"

#include "base/log.h"

void
mqtt_client_leave(MqttConnection *connection, const char *reason)
{
	Session    *session = connection->session;

	if (session == NULL)
	{
		log_event("mqtt refused %s:%d %s", connection->source_address.host,
				  connection->source_address.port, reason);
		return;
	}
	log_event("mqtt disconnected %s %s", log_text(session->client_id), reason);
	session_disconnect(session, reason);
}

/* MQTT 5 has a DISCONNECT from the server, after CONNACK. */
static void
send_disconnect(MqttConnection *connection, unsigned code)
{
	Buffer	   *output;

	if (connection->version != MQTT_VERSION_5 || connection->session == NULL)
		return;
	output = mqtt_connection_output(connection);
	mqtt_append_header(output, MQTT_DISCONNECT << 4, 1);
	buffer_append_u8(output, code);
}

void
mqtt_client_disconnect(Session *session, unsigned code, const char *reason)
{
	MqttConnection *connection = session->connection;

	send_disconnect(connection, code);
	mqtt_client_leave(connection, reason);
	mqtt_connection_close(connection);
}

static void
disconnect_for_shutdown(Session *session)
{
	/* The server's end is not a reason for anyone's will. */
	session_drop_will(session);
	if (session->connection != NULL)
		mqtt_client_disconnect(session, MQTT_SERVER_SHUTTING_DOWN,
							   "SERVER_INITIATED_DISCONNECT");
}

void
mqtt_client_disconnect_all(void)
{
	session_for_each(disconnect_for_shutdown);
	loop_run_tasks();
}

void
mqtt_client_fail(MqttConnection *connection, int code)
{
	send_disconnect(connection, (unsigned) code);
	mqtt_client_leave(connection, "CLIENT_ERROR");
	mqtt_connection_close(connection);
}

/* ------ keep-alive ------ */

void
mqtt_client_watch_keep_alive(MqttConnection *connection)
{
	if (connection->keep_alive == 0)
		loop_cancel_timer(&connection->timer);
	else
		loop_set_timer(&connection->timer,
					   connection->last_packet + (int64_t) connection->keep_alive * 1500);
}

void
mqtt_client_check_keep_alive(MqttConnection *connection)
{
	if (connection->last_packet + (int64_t) connection->keep_alive * 1500 > loop_now())
		mqtt_client_watch_keep_alive(connection);
	else
		mqtt_client_disconnect(connection->session, MQTT_KEEP_ALIVE_TIMEOUT,
							   "MQTT_KEEP_ALIVE_TIMEOUT");
}
