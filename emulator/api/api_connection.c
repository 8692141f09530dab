/*
 * api_connection.c
 *	  GetConnection, DeleteConnection, ListSubscriptions.
 */
#include "api/api_connection.h"

#include <string.h>

#include "api/api_answer.h"
#include "broker/session.h"
#include "mqtt/mqtt_client.h"

/* ------ GetConnection ------ */

static bool
is_thing(const ApiOptions *options, const char *client_id)
{
	for (size_t i = 0; i < options->thing_count; i++)
		if (strcmp(options->things[i], client_id) == 0)
			return true;
	return false;
}

static void
add_text(json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

static void
add_number(json_object *object, const char *name, int64_t value)
{
	json_object_object_add(object, name, json_object_new_int64(value));
}

static void
add_boolean(json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

static json_object *
describe(const ApiOptions *options, const Session *session, bool with_sockets)
{
	json_object *object = json_object_new_object();
	bool		connected = session->connection != NULL;

	add_boolean(object, "connected", connected);
	if (is_thing(options, session->client_id))
		add_text(object, "thingName", session->client_id);
	add_boolean(object, "cleanSession", session->clean);
	if (with_sockets)
	{
		add_text(object, "sourceIp", session->source_address.host);
		add_number(object, "sourcePort", session->source_address.port);
		add_text(object, "targetIp", session->target_address.host);
		add_number(object, "targetPort", session->target_address.port);
	}
	add_number(object, "keepAliveDuration", session->keep_alive);
	if (connected)
		add_number(object, "connectedSince", session->connected_since);
	else
	{
		add_number(object, "disconnectedSince", session->disconnected_since);
		add_text(object, "disconnectReason", session->disconnect_reason);
	}
	add_number(object, "sessionExpiry", session->expiry);
	add_text(object, "clientId", session->client_id);
	return object;
}

void
api_get_connection(ApiCall *call)
{
	bool		with_sockets;
	const Session *session;

	if (!api_check_client_id(call) ||
		!api_boolean(call, "includeSocketInformation", &with_sockets))
		return;
	if (with_sockets && !call->options->allow_socket_information)
	{
		api_fail(call->request, API_FORBIDDEN,
				 "Not authorized to include socket information");
		return;
	}
	session = session_find(call->label);
	if (session == NULL)
		api_fail(call->request, API_NOT_FOUND, "No connection was found for the client ID");
	else
		api_answer(call->request, describe(call->options, session, with_sockets));
}

/* ------ DeleteConnection ------ */

void
api_delete_connection(ApiCall *call)
{
	bool		clean_session,
				prevent_will;
	Session    *session;

	if (!api_check_client_id(call) ||
		!api_boolean(call, "cleanSession", &clean_session) ||
		!api_boolean(call, "preventWillMessage", &prevent_will))
		return;
	session = session_find(call->label);

	/* A client that is away is there as long as its session is. */
	if (session == NULL || !session->alive)
	{
		api_fail(call->request, API_NOT_FOUND, "No connection was found for the client ID");
		return;
	}
	if (prevent_will)
		session_drop_will(session);
	if (session->connection != NULL)
		mqtt_client_disconnect(session, MQTT_ADMINISTRATIVE_ACTION,
							   "API_INITIATED_DISCONNECT");
	if (clean_session && session->alive)
		session_end(session);
	api_answer(call->request, NULL);
}

/* ------ ListSubscriptions ------ */

void
api_list_subscriptions(ApiCall *call)
{
	int64_t		limit;
	uint64_t	sequence;
	Session    *session;
	json_object *object,
			   *array;
	TableEntry *entry;

	if (!api_check_client_id(call) || !api_page(call, call->label, &limit, &sequence))
		return;
	session = session_find(call->label);
	if (session == NULL || !session->alive)
	{
		api_fail(call->request, API_NOT_FOUND, "No session was found for the client ID");
		return;
	}
	object = json_object_new_object();
	array = json_object_new_array();
	json_object_object_add(object, "subscriptions", array);
	while ((entry = table_after(&session->subscriber.subscriptions, sequence)) != NULL && limit-- > 0)
	{
		json_object *item = json_object_new_object();

		add_text(item, "topicFilter", entry->key);
		add_number(item, "qos", ((Subscription *) entry)->qos);
		json_object_array_add(array, item);
		sequence = entry->sequence;
	}
	if (entry != NULL)
		api_add_next_token(object, call->label, sequence);
	api_answer(call->request, object);
}
