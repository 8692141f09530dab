/*
 * operation.c
 *		The tables of the operations.
 */
#include "postgres.h"

#include "request/operation.h"

#define ARGUMENT(sql_name, api_name, to, checked, ...) \
	{.name = sql_name, .location_name = api_name, .location = IOTDATA_LOCATION_##to, \
		.rule = IOTDATA_RULE_##checked, ##__VA_ARGS__}

#define CLIENT_ID \
	ARGUMENT("client_id", "clientId", PATH, CLIENT_ID, \
			 .min = 1, .max = 128, .required = true)

#define NO_WAIT .wait_flag = -1, .wait_time = -1

static const IotDataArgument get_connection_arguments[] = {
	CLIENT_ID,
	ARGUMENT("include_socket_information", "includeSocketInformation", QUERY, ANY),
	ARGUMENT("max_age", "", NONE, AGE),
};

static const char *const connection_fields[] = {
	"connected", "thingName", "cleanSession", "sourceIp", "sourcePort",
	"targetIp", "targetPort", "keepAliveDuration", "connectedSince",
	"disconnectedSince", "disconnectReason", "sessionExpiry", "clientId",
	"vpcEndpointId", IOTDATA_FIELD_OBSERVED_AT
};

const IotDataOperation iotdata_operation_get_connection = {
	.name = "GetConnection",
	.method = "GET",
	.path = "/connections/{clientId}",
	.rate_kind = IOTDATA_RATE_CONNECTION,
	.permission = "iot:GetConnection, with the condition iot:IncludeSocketInformation if socket information is asked for",
	.arguments = get_connection_arguments,
	.narguments = lengthof(get_connection_arguments),
	.fields = connection_fields,
	.nfields = lengthof(connection_fields),
	.max_age = 2,
	NO_WAIT
};

static const IotDataArgument delete_connection_arguments[] = {
	CLIENT_ID,
	ARGUMENT("clean_session", "cleanSession", QUERY, ANY),
	ARGUMENT("prevent_will_message", "preventWillMessage", QUERY, ANY),
};

const IotDataOperation iotdata_operation_delete_connection = {
	.name = "DeleteConnection",
	.method = "DELETE",
	.path = "/connections/{clientId}",
	.rate_kind = IOTDATA_RATE_CONNECTION,
	.is_action = true,
	.permission = "iot:DeleteConnection",
	.not_found_hint = "The device is not connected.",
	.unknown_outcome_hint = "The device may have been disconnected: iotdata.get_connection tells.",
	.arguments = delete_connection_arguments,
	.narguments = lengthof(delete_connection_arguments),
	NO_WAIT,
	.max_age = -1
};

static const IotDataArgument list_subscriptions_arguments[] = {
	CLIENT_ID,
	ARGUMENT("page_size", "maxResults", QUERY, NUMBER, .min = 1, .max = 200),
};

static const char *const subscription_fields[] = {"topicFilter", "qos"};

const IotDataOperation iotdata_operation_list_subscriptions = {
	.name = "ListSubscriptions",
	.method = "GET",
	.path = "/connections/{clientId}/subscriptions",
	.rate_kind = IOTDATA_RATE_CONNECTION,
	.permission = "iot:ListSubscriptions",
	.arguments = list_subscriptions_arguments,
	.narguments = lengthof(list_subscriptions_arguments),
	.fields = subscription_fields,
	.nfields = lengthof(subscription_fields),
	.items = "subscriptions",
	NO_WAIT,
	.max_age = -1
};

static const IotDataArgument send_direct_message_arguments[] = {
	CLIENT_ID,
	ARGUMENT("topic", "topic", QUERY, TOPIC,
			 .min = 1, .max = 256, .required = true),
	ARGUMENT("payload", "payload", BODY, BYTES, .max = 128 * 1024),
	ARGUMENT("content_type", "contentType", QUERY, ONE_LINE, .max = 256),
	ARGUMENT("response_topic", "responseTopic", QUERY, RESPONSE_TOPIC,
			 .min = 1, .max = 256),
	ARGUMENT("confirmation", "confirmation", QUERY, ANY),
	ARGUMENT("timeout", "timeout", QUERY, SECONDS, .min = 1, .max = 15),
	ARGUMENT("user_properties", "x-amz-mqtt5-user-properties", HEADER,
			 USER_PROPERTIES, .max = 8 * 1024),
	ARGUMENT("payload_format_indicator", "x-amz-mqtt5-payload-format-indicator",
			 HEADER, ANY),
	ARGUMENT("correlation_data", "x-amz-mqtt5-correlation-data", HEADER, BYTES,
			 .max = 8 * 1024),
};

static const char *const delivery_fields[] = {"message", "traceId"};

const IotDataOperation iotdata_operation_send_direct_message = {
	.name = "SendDirectMessage",
	.method = "POST",
	.path = "/connections/{clientId}/messages",
	.rate_kind = IOTDATA_RATE_SEND,
	.is_action = true,
	.permission = "iot:SendDirectMessage",
	.not_found_hint = "The device is not connected; the message is not kept for it.",
	.unknown_outcome_hint = "The message may have arrived: send it again only if the device can take it twice.",
	.arguments = send_direct_message_arguments,
	.narguments = lengthof(send_direct_message_arguments),
	.fields = delivery_fields,
	.nfields = lengthof(delivery_fields),
	.wait_flag = 5,
	.wait_time = 6,
	.wait_default = 5,
	.max_age = -1
};
