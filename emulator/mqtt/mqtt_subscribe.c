/*
 * mqtt_subscribe.c
 *	  SUBSCRIBE and UNSUBSCRIBE.
 */
#include "mqtt/mqtt_subscribe.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/router.h"
#include "broker/session.h"
#include "broker/topic.h"

static size_t max_subscriptions;

void
mqtt_set_max_subscriptions(size_t new_maximum)
{
	max_subscriptions = new_maximum;
}

/* ------ SUBSCRIBE ------ */

/* MQTT_OK, or the reason why this one filter is refused. */
static int
check_filter(const Session *session, const char *filter, bool exists)
{
	if (strncmp(filter, "$share/", 7) == 0)
		return MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
	if (!topic_is_filter(filter))
		return MQTT_TOPIC_FILTER_INVALID;
	if (!exists && max_subscriptions > 0 &&
		session->subscriber.subscriptions.count >= max_subscriptions)
		return MQTT_QUOTA_EXCEEDED;
	return MQTT_OK;
}

/*
 * Subscribes to one filter and appends its code.  Returns the subscription if
 * retained messages are to be sent for it, else NULL.
 */
static Subscription *
subscribe_one(MqttConnection *connection, const MqttFilter *filter, Buffer *codes)
{
	Session    *session = connection->session;
	char	   *text = memory_copy_text(filter->text.data, filter->text.length);
	bool		exists = subscription_find(&session->subscriber, text) != NULL;
	int			reason = check_filter(session, text, exists);
	Subscription *subscription = NULL;

	if (reason != MQTT_OK)
	{
		buffer_append_u8(codes, connection->version == MQTT_VERSION_5 ? (unsigned) reason : 0x80);
	}
	else
	{
		subscription = subscription_add(&session->subscriber, text);
		subscription->qos = filter->qos > 1 ? 1 : filter->qos;
		subscription->no_local = filter->no_local;
		subscription->retain_as_published = filter->retain_as_published;
		buffer_append_u8(codes, subscription->qos);
		if (log_enabled())
			log_event("mqtt subscribed %s %s qos %u", log_text(session->client_id),
					  log_text(text), subscription->qos);
	}
	free(text);
	if (filter->retain_handling == 2 || (filter->retain_handling == 1 && exists))
		return NULL;
	return subscription;
}

static void
append_codes(MqttConnection *connection, unsigned type, uint16_t packet_id,
			 const Buffer *codes)
{
	Buffer	   *output = mqtt_connection_output(connection);
	bool		has_properties = connection->version == MQTT_VERSION_5;

	mqtt_append_header(output, type << 4, 2 + (has_properties ? 1 : 0) + codes->length);
	buffer_append_u16(output, packet_id);
	if (has_properties)
		buffer_append_u8(output, 0);
	buffer_append(output, codes->data, codes->length);
}

int
mqtt_handle_subscribe(MqttConnection *connection, MqttBytes body)
{
	MqttSubscribe subscribe;
	MqttFilter	filter;
	Buffer		codes = {0};
	Subscription **new_ones = NULL;
	size_t		new_count = 0;
	int			reason = mqtt_parse_subscribe(connection->version, body, &subscribe);

	if (reason != MQTT_OK)
		return reason;

	/* A filter takes three bytes at least. */
	new_ones = memory_alloc((body.length / 3 + 1) * sizeof(Subscription *));
	while (mqtt_next_filter(&subscribe.filters, connection->version, true, &filter))
	{
		Subscription *subscription = subscribe_one(connection, &filter, &codes);

		if (subscription != NULL)
			new_ones[new_count++] = subscription;
	}
	append_codes(connection, MQTT_SUBACK, subscribe.packet_id, &codes);

	/* Retained messages come after SUBACK. */
	for (size_t i = 0; i < new_count; i++)
		router_send_retained(new_ones[i]);
	free(new_ones);
	buffer_free(&codes);
	return MQTT_OK;
}

/* ------ UNSUBSCRIBE ------ */

int
mqtt_handle_unsubscribe(MqttConnection *connection, MqttBytes body)
{
	Session    *session = connection->session;
	MqttSubscribe unsubscribe;
	MqttFilter	filter;
	Buffer		codes = {0};
	int			reason = mqtt_parse_unsubscribe(connection->version, body, &unsubscribe);

	if (reason != MQTT_OK)
		return reason;
	while (mqtt_next_filter(&unsubscribe.filters, connection->version, false, &filter))
	{
		char	   *text = memory_copy_text(filter.text.data, filter.text.length);
		Subscription *subscription = subscription_find(&session->subscriber, text);

		if (subscription != NULL)
			subscription_remove(subscription);
		if (connection->version == MQTT_VERSION_5)
			buffer_append_u8(&codes, subscription != NULL ? MQTT_OK :
							 MQTT_NO_SUBSCRIPTION_EXISTED);
		if (log_enabled())
			log_event("mqtt unsubscribed %s %s", log_text(session->client_id),
					  log_text(text));
		free(text);
	}
	append_codes(connection, MQTT_UNSUBACK, unsubscribe.packet_id, &codes);
	buffer_free(&codes);
	return MQTT_OK;
}
