/*
 * operation.c
 *		The tables of the operations.
 */
#include "postgres.h"

#include "call/operation.h"

#define CLIENT_ID \
	{"client_id", "clientId", IOTDATA_PLACE_PATH, IOTDATA_RULE_CLIENT_ID, \
		.min = 1, .max = 128, .required = true}

#define NO_WAIT .wait_flag = -1, .wait_time = -1

static const IotDataArgument get_connection_arguments[] = {
	CLIENT_ID,
	{"include_socket_information", "includeSocketInformation",
	IOTDATA_PLACE_QUERY, IOTDATA_RULE_ANY},
};

static const char *const connection_fields[] = {
	"connected", "thingName", "cleanSession", "sourceIp", "sourcePort",
	"targetIp", "targetPort", "keepAliveDuration", "connectedSince",
	"disconnectedSince", "disconnectReason", "sessionExpiry", "clientId",
	"vpcEndpointId"
};

const IotDataOperation iotdata_operation_get_connection = {
	.name = "GetConnection",
	.method = "GET",
	.path = "/connections/{clientId}",
	.arguments = get_connection_arguments,
	.narguments = lengthof(get_connection_arguments),
	.fields = connection_fields,
	.nfields = lengthof(connection_fields),
	NO_WAIT
};

static const IotDataArgument list_subscriptions_arguments[] = {
	CLIENT_ID,
	{"page_size", "maxResults", IOTDATA_PLACE_QUERY, IOTDATA_RULE_NUMBER,
	.min = 1, .max = 200},
};

static const char *const subscription_fields[] = {"topicFilter", "qos"};

const IotDataOperation iotdata_operation_list_subscriptions = {
	.name = "ListSubscriptions",
	.method = "GET",
	.path = "/connections/{clientId}/subscriptions",
	.arguments = list_subscriptions_arguments,
	.narguments = lengthof(list_subscriptions_arguments),
	.fields = subscription_fields,
	.nfields = lengthof(subscription_fields),
	.items = "subscriptions",
	NO_WAIT
};

static const IotDataArgument send_direct_message_arguments[] = {
	CLIENT_ID,
	{"topic", "topic", IOTDATA_PLACE_QUERY, IOTDATA_RULE_TOPIC,
	.min = 1, .max = 256, .required = true},
	{"payload", "payload", IOTDATA_PLACE_BODY, IOTDATA_RULE_BYTES,
	.max = 128 * 1024},
	{"content_type", "contentType", IOTDATA_PLACE_QUERY, IOTDATA_RULE_ONE_LINE,
	.max = 256},
	{"response_topic", "responseTopic", IOTDATA_PLACE_QUERY,
	IOTDATA_RULE_RESPONSE_TOPIC, .min = 1, .max = 256},
	{"confirmation", "confirmation", IOTDATA_PLACE_QUERY, IOTDATA_RULE_ANY},
	{"timeout", "timeout", IOTDATA_PLACE_QUERY, IOTDATA_RULE_SECONDS,
	.min = 1, .max = 15},
	{"user_properties", "x-amz-mqtt5-user-properties", IOTDATA_PLACE_HEADER,
	IOTDATA_RULE_USER_PROPERTIES, .max = 8 * 1024},
	{"payload_format_indicator", "x-amz-mqtt5-payload-format-indicator",
	IOTDATA_PLACE_HEADER, IOTDATA_RULE_ANY},
	{"correlation_data", "x-amz-mqtt5-correlation-data", IOTDATA_PLACE_HEADER,
	IOTDATA_RULE_BYTES, .max = 8 * 1024},
};

static const char *const delivery_fields[] = {"message", "traceId"};

const IotDataOperation iotdata_operation_send_direct_message = {
	.name = "SendDirectMessage",
	.method = "POST",
	.path = "/connections/{clientId}/messages",
	.acts = true,
	.arguments = send_direct_message_arguments,
	.narguments = lengthof(send_direct_message_arguments),
	.fields = delivery_fields,
	.nfields = lengthof(delivery_fields),
	.wait_flag = 5,
	.wait_time = 6,
	.wait_default = 5
};
