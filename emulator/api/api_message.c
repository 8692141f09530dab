/*
 * api_message.c
 *	  SendDirectMessage, Publish.
 */
#include "api/api_message.h"

#include <string.h>

#include "api/api_answer.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/router.h"
#include "broker/session.h"
#include "broker/topic.h"

#define MAX_USER_PROPERTIES 8192	/* bytes of names and values */
#define MAX_CORRELATION_DATA 8192
#define MAX_CONTENT_TYPE 256
#define MAX_MESSAGE_EXPIRY 604800	/* seconds */
#define MAX_TIMEOUT 15			/* seconds */
#define DEFAULT_TIMEOUT 5

/* ------ MQTT 5 properties ------ */

/*
 * Each of these adds one property to the message, if it was sent.  They return
 * NULL, or what is wrong.
 */

static const char *
add_content_type(const ApiCall *call, Message *message)
{
	const char *text = api_text(call, "contentType");

	if (text == NULL)
		return NULL;
	if (strlen(text) > MAX_CONTENT_TYPE)
		return "The content type is longer than 256 bytes";
	buffer_append_u8(&message->properties, MQTT_CONTENT_TYPE);
	mqtt_append_string(&message->properties, text, strlen(text));
	return NULL;
}

static const char *
add_response_topic(const ApiCall *call, Message *message)
{
	const char *text = api_text(call, "responseTopic");

	if (text == NULL)
		return NULL;
	if (!topic_is_name(text))
		return "The response topic is not valid";
	buffer_append_u8(&message->properties, MQTT_RESPONSE_TOPIC);
	mqtt_append_string(&message->properties, text, strlen(text));
	return NULL;
}

static const char *
add_payload_format(const ApiCall *call, Message *message)
{
	const char *text = http_header(call->request, "x-amz-mqtt5-payload-format-indicator");
	bool		utf8;

	if (text == NULL)
		return NULL;
	utf8 = strcmp(text, "UTF8_DATA") == 0;
	if (!utf8 && strcmp(text, "UNSPECIFIED_BYTES") != 0)
		return "The payload format indicator is not valid";
	buffer_append_u8(&message->properties, MQTT_PAYLOAD_FORMAT_INDICATOR);
	buffer_append_u8(&message->properties, utf8 ? 1 : 0);
	return NULL;
}

static const char *
add_correlation_data(const ApiCall *call, Message *message)
{
	const char *text = http_header(call->request, "x-amz-mqtt5-correlation-data");
	Buffer		decoded = {0};
	bool		good;

	if (text == NULL)
		return NULL;
	good = text_base64_decode(text, &decoded) && decoded.length <= MAX_CORRELATION_DATA;
	if (good)
	{
		buffer_append_u8(&message->properties, MQTT_CORRELATION_DATA);
		mqtt_append_string(&message->properties, decoded.data, decoded.length);
	}
	buffer_free(&decoded);
	return good ? NULL : "The correlation data is not base64 of at most 8 KiB";
}

/* One object of the array; false when it is not one pair of strings. */
static bool
add_user_property(json_object *pair, Message *message, size_t *total)
{
	struct json_object_iterator at;
	json_object *value;
	const char *name,
			   *text;
	size_t		length;

	if (!json_object_is_type(pair, json_type_object) || json_object_object_length(pair) != 1)
		return false;
	at = json_object_iter_begin(pair);
	name = json_object_iter_peek_name(&at);
	value = json_object_iter_peek_value(&at);
	if (!json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	length = (size_t) json_object_get_string_len(value);
	*total += strlen(name) + length;
	if (*total > MAX_USER_PROPERTIES || !text_is_utf8(text, length) ||
		!text_is_utf8(name, strlen(name)))
		return false;
	buffer_append_u8(&message->properties, MQTT_USER_PROPERTY);
	mqtt_append_string(&message->properties, name, strlen(name));
	mqtt_append_string(&message->properties, text, length);
	return true;
}

/* json-c's strict mode; 0.17 and 0.18 refuse every byte beyond ASCII in it. */
static int
strict_mode(void)
{
	int			version = json_c_version_num() >> 8;	/* 0xMMmm */

	return version == 17 || version == 18 ? 0 : JSON_TOKENER_STRICT;
}

/* NULL when it is not JSON from its first byte to its last. */
static json_object *
parse_json(const char *text, size_t length)
{
	json_tokener *tokener = json_tokener_new_ex(8);
	json_object *object;

	json_tokener_set_flags(tokener, strict_mode() | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int) length);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
		json_tokener_get_parse_end(tokener) != length)
	{
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static const char *
add_user_properties(const ApiCall *call, Message *message)
{
	const char *text = http_header(call->request, "x-amz-mqtt5-user-properties");
	Buffer		decoded = {0};
	json_object *array = NULL;
	size_t		total = 0;
	bool		good;

	if (text == NULL)
		return NULL;
	if (text_base64_decode(text, &decoded))
		array = parse_json(buffer_text(&decoded), decoded.length);
	good = json_object_is_type(array, json_type_array);
	for (size_t i = 0; good && i < json_object_array_length(array); i++)
		good = add_user_property(json_object_array_get_idx(array, i), message, &total);
	json_object_put(array);
	buffer_free(&decoded);
	return good ? NULL : "The user properties are not base64 of a JSON array of objects "
		"with one string each, of at most 8 KiB";
}

/* The message a request carries; NULL: has answered with an error. */
static Message *
take_message(const ApiCall *call, const char *topic)
{
	static const char *(*const adders[]) (const ApiCall *, Message *) = {
		add_payload_format, add_content_type, add_response_topic, add_correlation_data,
		add_user_properties
	};
	const HttpRequest *request = call->request;
	Message    *message;
	const char *problem = NULL;

	if (request->body_length > MESSAGE_MAX_PAYLOAD)
	{
		api_fail(call->request, API_TOO_LARGE, "The payload is larger than 128 KiB");
		return NULL;
	}
	message = message_new(topic, strlen(topic), request->body.data, request->body.length);
	for (size_t i = 0; problem == NULL && i < sizeof(adders) / sizeof(adders[0]); i++)
		problem = adders[i] (call, message);
	if (problem == NULL)
		return message;
	message_release(message);
	api_fail(call->request, API_INVALID_REQUEST, problem);
	return NULL;
}

/* ------ SendDirectMessage ------ */

/* The request waits, suspended, so it is still there. */
static void
finish_confirmed(void *argument, bool confirmed)
{
	HttpRequest *request = argument;

	if (confirmed)
		api_succeed(request, "Delivery confirmed");
	else
		api_fail(request, API_GATEWAY_TIMEOUT,
				 "The delivery confirmation was not received from the client in time");
}

static void
send_message(const ApiCall *call, Message *message, bool confirmation, int64_t timeout)
{
	Session    *session = session_find(call->label);

	if (session == NULL || session->connection == NULL)
	{
		api_fail(call->request, API_NOT_FOUND, "The client is not connected");
		return;
	}
	if (log_enabled())
		log_event("mqtt direct message %s %s %s", log_text(session->client_id),
				  log_text(message->topic), call->request->id);
	if (confirmation)
	{
		delivery_send_confirmed(&session->subscriber.delivery, message, timeout * 1000,
								finish_confirmed, call->request);
		return;
	}
	delivery_send_direct(&session->subscriber.delivery, message);
	api_succeed(call->request, "Message sent");
}

void
api_send_direct_message(ApiCall *call)
{
	const char *topic = api_text(call, "topic");
	bool		confirmation;
	int64_t		timeout = DEFAULT_TIMEOUT;
	Message    *message;

	if (!api_check_client_id(call) || !api_boolean(call, "confirmation", &confirmation))
		return;
	if (topic == NULL || !topic_is_name(topic) || topic[0] == '$')
	{
		api_fail(call->request, API_INVALID_REQUEST, "The topic is not valid");
		return;
	}

	/* Without confirmation the service ignores it. */
	if (confirmation && !api_number(call, "timeout", 1, MAX_TIMEOUT, &timeout))
		return;
	message = take_message(call, topic);
	if (message == NULL)
		return;
	send_message(call, message, confirmation, timeout);
	message_release(message);
}

/* ------ Publish ------ */

void
api_publish(ApiCall *call)
{
	int64_t		qos = 0,
				expiry = -1;
	bool		retain;
	Message    *message;

	if (!topic_is_name(call->label))
	{
		api_fail(call->request, API_INVALID_REQUEST, "The topic is not valid");
		return;
	}
	if (!api_number(call, "qos", 0, 1, &qos) || !api_boolean(call, "retain", &retain) ||
		!api_number(call, "messageExpiry", 0, MAX_MESSAGE_EXPIRY, &expiry))
		return;
	message = take_message(call, call->label);
	if (message == NULL)
		return;
	message->qos = (unsigned) qos;
	message->retain = retain;
	if (expiry >= 0)
		message_set_expiry(message, (uint32_t) expiry);
	router_publish(message, NULL);
	message_release(message);
	api_succeed(call->request, "OK");
}
