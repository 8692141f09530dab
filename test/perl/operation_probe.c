/*
 * operation_probe.c
 *		Operations of other shapes than those that the extension has: a body as
 *		a whole, items that are plain strings, bytes and JSON in base64, and
 *		nothing that the operation is about.
 *
 * Built by function_other_shapes.pl from this file and those of src/.
 */
#include "postgres.h"

#include "api/function.h"
#include "fmgr.h"
#include "settings/settings.h"
#include "shared/areas.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

PG_FUNCTION_INFO_V1(probe_get_thing_shadow);
PG_FUNCTION_INFO_V1(probe_list_named_shadows_for_thing);
PG_FUNCTION_INFO_V1(probe_get_retained_message);
PG_FUNCTION_INFO_V1(probe_list_retained_messages);

#define SUBJECT(sql_name, api_name) \
	{.name = sql_name, .location_name = api_name, .role = IOTDATA_ROLE_SUBJECT, \
		.location = IOTDATA_LOCATION_PATH, .types = IOTDATA_TYPE_TEXT, .max = 256, \
		.required = true}

static const IotDataArgument thing[] = {SUBJECT("thing_name", "thingName")};
static const IotDataArgument topic[] = {SUBJECT("topic", "topic")};

static const IotDataColumn shadow_columns[] = {{NULL, IOTDATA_WIRE_JSON}};
static const IotDataColumn name_columns[] = {{NULL, IOTDATA_WIRE_STRING}};
static const IotDataColumn message_columns[] = {
	{"topic", IOTDATA_WIRE_STRING},
	{"payload", IOTDATA_WIRE_BLOB},
	{"qos", IOTDATA_WIRE_NUMBER},
	{"lastModifiedTime", IOTDATA_WIRE_MILLISECONDS},
	{"userProperties", IOTDATA_WIRE_JSON_BLOB},
};
static const IotDataColumn summary_columns[] = {
	{"topic", IOTDATA_WIRE_STRING},
	{"payloadSize", IOTDATA_WIRE_NUMBER},
};

static const IotDataOperation get_thing_shadow = {
	.name = "GetThingShadow", .function = "probe_get_thing_shadow", .method = "GET",
	.path = "/connections/{thingName}/shadow", .rate_kind = IOTDATA_RATE_SEND,
	.permission = "iot:GetThingShadow", .arguments = thing, .narguments = 1,
	.columns = shadow_columns, .ncolumns = 1
};

static const IotDataOperation list_named_shadows_for_thing = {
	.name = "ListNamedShadowsForThing", .function = "probe_list_named_shadows_for_thing",
	.method = "GET", .path = "/connections/{thingName}", .rate_kind = IOTDATA_RATE_SEND,
	.permission = "iot:ListNamedShadowsForThing", .arguments = thing, .narguments = 1,
	.columns = name_columns, .ncolumns = 1, .items = "results"
};

static const IotDataOperation get_retained_message = {
	.name = "GetRetainedMessage", .function = "probe_get_retained_message", .method = "GET",
	.path = "/connections/{topic}", .rate_kind = IOTDATA_RATE_SEND,
	.permission = "iot:GetRetainedMessage", .arguments = topic, .narguments = 1,
	.columns = message_columns, .ncolumns = lengthof(message_columns)
};

static const IotDataOperation list_retained_messages = {
	.name = "ListRetainedMessages", .function = "probe_list_retained_messages",
	.method = "GET", .path = "/retainedMessage", .rate_kind = IOTDATA_RATE_SEND,
	.permission = "iot:ListRetainedMessages",
	.columns = summary_columns, .ncolumns = lengthof(summary_columns),
	.items = "retainedTopics"
};

void
_PG_init(void)
{
	iotdata_settings_init();
	iotdata_shared_init(iotdata_shared_areas);
}

Datum
probe_get_thing_shadow(PG_FUNCTION_ARGS)
{
	return iotdata_function_row(fcinfo, &get_thing_shadow);
}

Datum
probe_list_named_shadows_for_thing(PG_FUNCTION_ARGS)
{
	return iotdata_function_list(fcinfo, &list_named_shadows_for_thing);
}

Datum
probe_get_retained_message(PG_FUNCTION_ARGS)
{
	return iotdata_function_row(fcinfo, &get_retained_message);
}

Datum
probe_list_retained_messages(PG_FUNCTION_ARGS)
{
	return iotdata_function_list(fcinfo, &list_retained_messages);
}
