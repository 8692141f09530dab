/*
 * operation.c
 *		The tables of the operations.
 */
#include <string.h>

#include "request/operation.h"

#define LENGTH_OF(array) ((int) (sizeof(array) / sizeof((array)[0])))

#define CLIENT_ID \
	{.name = "client_id", .location_name = "clientId", \
		.role = IOTDATA_ROLE_SUBJECT, .location = IOTDATA_LOCATION_PATH, \
		.types = IOTDATA_TYPE_TEXT, .rule = IOTDATA_RULE_CLIENT_ID, \
		.min = 1, .max = 128, .required = true}

#define MAX_AGE \
	{.name = "max_age", .role = IOTDATA_ROLE_MAX_AGE, .types = IOTDATA_TYPE_INTERVAL}

#define SERVER \
	{.name = "server", .role = IOTDATA_ROLE_SERVER, .types = IOTDATA_TYPE_NAME}

#define QUERY(sql_name, api_name, ...) \
	{.name = sql_name, .location_name = api_name, \
		.location = IOTDATA_LOCATION_QUERY, __VA_ARGS__}

#define HEADER(sql_name, api_name, ...) \
	{.name = sql_name, .location_name = api_name, \
		.location = IOTDATA_LOCATION_HEADER, __VA_ARGS__}

#define FLAG(sql_name, api_name) \
	QUERY(sql_name, api_name, .types = IOTDATA_TYPE_BOOLEAN)

static const IotDataArgument get_connection_arguments[] = {
	CLIENT_ID,
	FLAG("include_socket_information", "includeSocketInformation"),
	MAX_AGE,
	SERVER,
};

static const IotDataColumn connection_columns[] = {
	{"connected", IOTDATA_WIRE_BOOLEAN},
	{"thingName", IOTDATA_WIRE_STRING},
	{"cleanSession", IOTDATA_WIRE_BOOLEAN},
	{"sourceIp", IOTDATA_WIRE_STRING},
	{"sourcePort", IOTDATA_WIRE_NUMBER},
	{"targetIp", IOTDATA_WIRE_STRING},
	{"targetPort", IOTDATA_WIRE_NUMBER},
	{"keepAliveDuration", IOTDATA_WIRE_NUMBER},
	{"connectedSince", IOTDATA_WIRE_MILLISECONDS},
	{"disconnectedSince", IOTDATA_WIRE_MILLISECONDS},
	{"disconnectReason", IOTDATA_WIRE_STRING},
	{"sessionExpiry", IOTDATA_WIRE_NUMBER},
	{"clientId", IOTDATA_WIRE_STRING},
	{"vpcEndpointId", IOTDATA_WIRE_STRING},
	{NULL, IOTDATA_WIRE_OBSERVED_AT},
};

#define GET_CONNECTION(c_function, ...) \
	{ \
		.name = "GetConnection", \
		.function = (c_function), \
		.method = "GET", \
		.path = "/connections/{clientId}", \
		.rate_kind = IOTDATA_RATE_CONNECTION, \
		.permission = "iot:GetConnection, with the condition iot:IncludeSocketInformation if socket information is asked for", \
		.arguments = get_connection_arguments, \
		.narguments = LENGTH_OF(get_connection_arguments), \
		.columns = connection_columns, \
		.ncolumns = LENGTH_OF(connection_columns), \
		__VA_ARGS__ \
	}

const IotDataOperation iotdata_operation_get_connection =
	GET_CONNECTION("iotdata_get_connection", .returns_result = false);

const IotDataOperation iotdata_operation_get_connection_result =
	GET_CONNECTION("iotdata_get_connection_result", .returns_result = true);

static const IotDataArgument delete_connection_arguments[] = {
	CLIENT_ID,
	FLAG("clean_session", "cleanSession"),
	FLAG("prevent_will_message", "preventWillMessage"),
	SERVER,
};

const IotDataOperation iotdata_operation_delete_connection = {
	.name = "DeleteConnection",
	.function = "iotdata_delete_connection",
	.method = "DELETE",
	.path = "/connections/{clientId}",
	.rate_kind = IOTDATA_RATE_CONNECTION,
	.ends_subject = true,
	.permission = "iot:DeleteConnection",
	.not_found_hint = "The device is not connected and has no persistent session.",
	.unknown_outcome_hint = "The device may have been disconnected: iotdata.get_connection tells.",
	.arguments = delete_connection_arguments,
	.narguments = LENGTH_OF(delete_connection_arguments),
};

static const IotDataArgument list_subscriptions_arguments[] = {
	CLIENT_ID,
	QUERY("page_size", "maxResults",
		  .types = IOTDATA_TYPE_INTEGER, .min = 1, .max = 200),
	SERVER,
};

static const IotDataColumn subscription_columns[] = {
	{"topicFilter", IOTDATA_WIRE_STRING},
	{"qos", IOTDATA_WIRE_NUMBER},
};

const IotDataOperation iotdata_operation_list_subscriptions = {
	.name = "ListSubscriptions",
	.function = "iotdata_list_subscriptions",
	.method = "GET",
	.path = "/connections/{clientId}/subscriptions",
	.rate_kind = IOTDATA_RATE_CONNECTION,
	.permission = "iot:ListSubscriptions",
	.arguments = list_subscriptions_arguments,
	.narguments = LENGTH_OF(list_subscriptions_arguments),
	.columns = subscription_columns,
	.ncolumns = LENGTH_OF(subscription_columns),
	.items = "subscriptions",
};

#define TOPIC \
	QUERY("topic", "topic", .types = IOTDATA_TYPE_TEXT, \
		  .rule = IOTDATA_RULE_TOPIC, .min = 1, .max = 256, .required = true)

#define PAYLOAD(...) \
	{.name = "payload", .location_name = "payload", \
		.location = IOTDATA_LOCATION_BODY, \
		.types = IOTDATA_TYPE_BYTEA | IOTDATA_TYPE_TEXT | IOTDATA_TYPE_JSON | IOTDATA_TYPE_JSONB, \
		.max = 128 * 1024, __VA_ARGS__}

/* of a direct message, what follows its payload */
#define MESSAGE_OPTIONS \
	QUERY("content_type", "contentType", .types = IOTDATA_TYPE_TEXT, \
		  .rule = IOTDATA_RULE_ONE_LINE, .max = 256), \
	QUERY("response_topic", "responseTopic", .types = IOTDATA_TYPE_TEXT, \
		  .rule = IOTDATA_RULE_RESPONSE_TOPIC, .min = 1, .max = 256), \
	QUERY("confirmation", "confirmation", .role = IOTDATA_ROLE_WAIT_FLAG, \
		  .types = IOTDATA_TYPE_BOOLEAN), \
	QUERY("timeout", "timeout", .role = IOTDATA_ROLE_WAIT_TIME, \
		  .types = IOTDATA_TYPE_INTERVAL, .min = 1, .max = 15), \
	HEADER("user_properties", "x-amz-mqtt5-user-properties", \
		   .types = IOTDATA_TYPE_JSONB, \
		   .rule = IOTDATA_RULE_USER_PROPERTIES, .max = 8 * 1024), \
	HEADER("payload_format_indicator", "x-amz-mqtt5-payload-format-indicator", \
		   .types = IOTDATA_TYPE_ENUM), \
	HEADER("correlation_data", "x-amz-mqtt5-correlation-data", \
		   .types = IOTDATA_TYPE_BYTEA, .max = 8 * 1024)

static const IotDataArgument send_direct_message_arguments[] = {
	CLIENT_ID,
	TOPIC,
	PAYLOAD(.required = true),
	MESSAGE_OPTIONS,
	SERVER
};

/* there, a payload that is NULL is an empty one */
static const IotDataArgument send_direct_message_arguments_1_0[] = {
	CLIENT_ID,
	TOPIC,
	PAYLOAD(.required = false),
	MESSAGE_OPTIONS
};

static const IotDataColumn delivery_columns[] = {
	{"message", IOTDATA_WIRE_STRING},
	{"traceId", IOTDATA_WIRE_STRING},
};

#define SEND_DIRECT_MESSAGE(c_function, its_arguments) \
	{ \
		.name = "SendDirectMessage", \
		.function = (c_function), \
		.method = "POST", \
		.path = "/connections/{clientId}/messages", \
		.rate_kind = IOTDATA_RATE_SEND, \
		.permission = "iot:SendDirectMessage", \
		.forbidden_hint = "The device's own policy must allow iot:Receive on the topic.", \
		.not_found_hint = "The device is not connected; the message is not stored for it.", \
		.unknown_outcome_hint = "The message may have arrived: send it again only if the device can take it twice.", \
		.arguments = (its_arguments), \
		.narguments = LENGTH_OF(its_arguments), \
		.columns = delivery_columns, \
		.ncolumns = LENGTH_OF(delivery_columns), \
		.wait_default = 5, \
	}

const IotDataOperation iotdata_operation_send_direct_message =
	SEND_DIRECT_MESSAGE("iotdata_send_direct_message_1_2", send_direct_message_arguments);

const IotDataOperation iotdata_operation_send_direct_message_1_0 =
	SEND_DIRECT_MESSAGE("iotdata_send_direct_message", send_direct_message_arguments_1_0);

const IotDataOperation *const iotdata_operations[] = {
	&iotdata_operation_get_connection,
	&iotdata_operation_get_connection_result,
	&iotdata_operation_delete_connection,
	&iotdata_operation_list_subscriptions,
	&iotdata_operation_send_direct_message,
	&iotdata_operation_send_direct_message_1_0,
	NULL
};

/* The service's model changes nothing with GET, and with the others always. */
bool
iotdata_operation_is_action(const IotDataOperation *operation)
{
	return strcmp(operation->method, "GET") != 0;
}

const IotDataArgument *
iotdata_operation_argument(const IotDataOperation *operation, IotDataRole role)
{
	for (int i = 0; i < operation->narguments; i++)
	{
		if (operation->arguments[i].role == role)
			return &operation->arguments[i];
	}
	return NULL;
}
