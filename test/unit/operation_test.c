/*
 * operation_test.c
 *		Tests of the operations' tables: against rules that hold for any table,
 *		and against what the service's model says of each operation.
 *
 * The facts of the model (service-2.json of the IoT Data Plane, 2026) are
 * written down here once more, by hand, so that a slip in a table shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "request/operation.h"

#define MAX_MEMBERS 20

/* What the model says of an operation. */
typedef struct Model
{
	const char *name;
	const char *method;
	const char *path;
	const char *label;			/* the member that is the path's label */
	const char *query[MAX_MEMBERS];
	const char *headers[MAX_MEMBERS];
	const char *payload;		/* the member that is the body */
	const char *required[MAX_MEMBERS];
	const char *items;			/* the list in the answer, of structures */
	const char *answer[MAX_MEMBERS];	/* the members of the answer, or its
										 * items */
} Model;

static const Model models[] = {
	{
		.name = "GetConnection", .method = "GET", .path = "/connections/{clientId}",
		.label = "clientId", .query = {"includeSocketInformation"},
		.required = {"clientId"},
		.answer = {
			"connected", "thingName", "cleanSession", "sourceIp", "sourcePort",
			"targetIp", "targetPort", "keepAliveDuration", "connectedSince",
			"disconnectedSince", "disconnectReason", "sessionExpiry", "clientId",
			"vpcEndpointId"
		}
	},
	{
		.name = "DeleteConnection", .method = "DELETE", .path = "/connections/{clientId}",
		.label = "clientId", .query = {"cleanSession", "preventWillMessage"},
		.required = {"clientId"}
	},
	{
		.name = "ListSubscriptions", .method = "GET",
		.path = "/connections/{clientId}/subscriptions", .label = "clientId",
		.query = {"maxResults"},	/* and nextToken, which no argument is */
		.required = {"clientId"}, .items = "subscriptions",
		.answer = {"topicFilter", "qos"}
	},
	{
		.name = "SendDirectMessage", .method = "POST",
		.path = "/connections/{clientId}/messages", .label = "clientId",
		.query = {"topic", "contentType", "responseTopic", "confirmation", "timeout"},
		.headers = {
			"x-amz-mqtt5-user-properties", "x-amz-mqtt5-payload-format-indicator",
			"x-amz-mqtt5-correlation-data"
		},
		.payload = "payload", .required = {"clientId", "topic"},
		.answer = {"message", "traceId"}
	},
};

static const Model *
model_of(const IotDataOperation *operation)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
	{
		if (strcmp(models[i].name, operation->name) == 0)
			return &models[i];
	}
	fail_msg("no model of %s", operation->name);
	return NULL;
}

static int
length(const char *const *names)
{
	int			n = 0;

	while (n < MAX_MEMBERS && names[n] != NULL)
		n++;
	return n;
}

static bool
has(const char *const *names, const char *name)
{
	for (int i = 0; i < length(names); i++)
	{
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* ---- rules for any table; each returns what is wrong, or NULL ---- */

static bool
is_bounded(const IotDataArgument *argument)
{
	int			measured = IOTDATA_TYPE_TEXT | IOTDATA_TYPE_BYTEA | IOTDATA_TYPE_INTEGER |
		IOTDATA_TYPE_JSON | IOTDATA_TYPE_JSONB;

	if (argument->types & IOTDATA_TYPE_INTERVAL && argument->role != IOTDATA_ROLE_MAX_AGE)
		return argument->max > 0;
	return (argument->types & measured) == 0 || argument->max > 0;
}

static const char *
argument_fault(const IotDataArgument *argument)
{
	bool		sent = argument->role != IOTDATA_ROLE_MAX_AGE && argument->role != IOTDATA_ROLE_SERVER;

	if (argument->name == NULL || argument->types == 0)
		return "an argument has no name or no type";
	if (sent != (argument->location != IOTDATA_LOCATION_NONE) || sent != (argument->location_name != NULL))
		return "an argument is sent and has no place, or the other way round";
	if (!is_bounded(argument) || argument->min > argument->max)
		return "an argument has no bound";
	switch (argument->role)
	{
		case IOTDATA_ROLE_SUBJECT:
			return argument->required && argument->types == IOTDATA_TYPE_TEXT ? NULL :
				"a subject must be there, and text";
		case IOTDATA_ROLE_SERVER:
			return !argument->required && argument->types == IOTDATA_TYPE_NAME ? NULL :
				"a server must be there, or is not a name";
		case IOTDATA_ROLE_WAIT_FLAG:
			return argument->types == IOTDATA_TYPE_BOOLEAN ? NULL : "a flag is not a boolean";
		case IOTDATA_ROLE_MAX_AGE:
		case IOTDATA_ROLE_WAIT_TIME:
			return argument->types == IOTDATA_TYPE_INTERVAL ? NULL : "a time is not an interval";
		default:
			break;
	}
	if (argument->location == IOTDATA_LOCATION_HEADER &&
		argument->types & (IOTDATA_TYPE_TEXT | IOTDATA_TYPE_JSON) &&
		argument->rule != IOTDATA_RULE_ONE_LINE)
		return "text in a header may have line breaks";
	if (argument->rule == IOTDATA_RULE_USER_PROPERTIES && argument->types != IOTDATA_TYPE_JSONB)
		return "user properties are not jsonb";
	return NULL;
}

static int
count_role(const IotDataOperation *operation, IotDataRole role)
{
	int			n = 0;

	for (int i = 0; i < operation->narguments; i++)
		n += operation->arguments[i].role == role;
	return n;
}

static int
count_location(const IotDataOperation *operation, IotDataLocation location)
{
	int			n = 0;

	for (int i = 0; i < operation->narguments; i++)
		n += operation->arguments[i].location == location;
	return n;
}

static const char *
arguments_fault(const IotDataOperation *operation)
{
	const char *open = strchr(operation->path, '{');
	const char *close = strchr(operation->path, '}');

	if (operation->narguments > IOTDATA_MAX_ARGUMENTS)
		return "too many arguments";
	for (int i = 0; i < operation->narguments; i++)
	{
		if (argument_fault(&operation->arguments[i]) != NULL)
			return argument_fault(&operation->arguments[i]);
	}
	for (IotDataRole role = IOTDATA_ROLE_SUBJECT; role <= IOTDATA_ROLE_WAIT_TIME; role++)
	{
		if (count_role(operation, role) > 1)
			return "a role is played twice";
	}
	if (count_location(operation, IOTDATA_LOCATION_PATH) != (open != NULL) ||
		(open != NULL) != (close != NULL && close > open))
		return "the path's label has no argument, or an argument no label";
	if (open != NULL && strchr(open + 1, '{') != NULL)
		return "the path has two labels";
	if (count_location(operation, IOTDATA_LOCATION_BODY) > (strcmp(operation->method, "POST") == 0))
		return "only a POST has a body, and one";
	for (int i = 0; i < operation->narguments - 1; i++)
	{
		if (operation->arguments[i].role == IOTDATA_ROLE_SERVER)
			return "the server is not the last argument";
	}
	if (count_location(operation, IOTDATA_LOCATION_HEADER) > 4)
		return "too many headers";
	if (count_role(operation, IOTDATA_ROLE_WAIT_FLAG) != count_role(operation, IOTDATA_ROLE_WAIT_TIME) ||
		count_role(operation, IOTDATA_ROLE_WAIT_FLAG) != (operation->wait_default > 0))
		return "a flag to wait goes with a time and a default";
	return NULL;
}

static const char *
columns_fault(const IotDataOperation *operation)
{
	bool		cacheable = count_role(operation, IOTDATA_ROLE_MAX_AGE) > 0;

	if (operation->ncolumns > IOTDATA_MAX_COLUMNS)
		return "too many columns";
	if (operation->items != NULL && operation->ncolumns == 0)
		return "a list has no columns";
	if (cacheable && (operation->items != NULL || operation->ncolumns == 0))
		return "an answer that cannot be cached has a max_age";
	for (int i = 0; i < operation->ncolumns; i++)
	{
		const IotDataColumn *column = &operation->columns[i];
		bool		simple = column->type != IOTDATA_WIRE_JSON;

		if (column->type == IOTDATA_WIRE_OBSERVED_AT && column->member != NULL)
			return "a member is when the answer came";
		if (cacheable && !simple)
			return "a cached answer has a value that is not simple";
	}
	return NULL;
}

static const char *
table_fault(const IotDataOperation *operation)
{
	bool		acts = iotdata_operation_is_action(operation);

	if (operation->name == NULL || operation->function == NULL || operation->method == NULL ||
		operation->path == NULL || operation->path[0] != '/' || operation->permission == NULL)
		return "a part of it is missing";
	if (strncmp(operation->function, "iotdata_", 8) != 0)
		return "its C function is not one of ours";
	if (strcmp(operation->method, "GET") != 0 && strcmp(operation->method, "POST") != 0 &&
		strcmp(operation->method, "DELETE") != 0)
		return "its method is unknown";
	if (acts != (operation->unknown_outcome_hint != NULL) || acts != (operation->not_found_hint != NULL))
		return "an action says what to do when it is not known whether it happened, a read does not";
	if (acts && (operation->items != NULL || count_role(operation, IOTDATA_ROLE_MAX_AGE) > 0))
		return "an action is no list, and not cached";
	if (!acts && operation->ends_subject)
		return "a read ends what it is about";
	if (!acts && count_role(operation, IOTDATA_ROLE_WAIT_FLAG) > 0)
		return "a read waits for the device";
	if (arguments_fault(operation) != NULL)
		return arguments_fault(operation);
	return columns_fault(operation);
}

static void
every_table_makes_sense(void **state)
{
	(void) state;
	for (int i = 0; iotdata_operations[i] != NULL; i++)
	{
		const char *fault = table_fault(iotdata_operations[i]);

		if (fault != NULL)
			fail_msg("%s: %s", iotdata_operations[i]->name, fault);
	}
}

/* ---- the service's model ---- */

static void
check_arguments(const IotDataOperation *operation, const Model *model)
{
	int			nquery = 0;
	int			nheaders = 0;

	for (int i = 0; i < operation->narguments; i++)
	{
		const IotDataArgument *argument = &operation->arguments[i];
		bool		required;

		if (argument->location_name == NULL)
			continue;
		required = has(model->required, argument->location_name);
		/* SQL asks for a payload, to tell NULL from an empty one */
		if (argument->location != IOTDATA_LOCATION_BODY)
			assert_int_equal(argument->required, required);
		switch (argument->location)
		{
			case IOTDATA_LOCATION_PATH:
				assert_string_equal(argument->location_name, model->label);
				break;
			case IOTDATA_LOCATION_QUERY:
				assert_true(has(model->query, argument->location_name));
				nquery++;
				break;
			case IOTDATA_LOCATION_HEADER:
				assert_true(has(model->headers, argument->location_name));
				nheaders++;
				break;
			case IOTDATA_LOCATION_BODY:
				assert_string_equal(argument->location_name, model->payload);
				break;
			default:
				break;
		}
	}
	assert_int_equal(nquery, length(model->query));
	assert_int_equal(nheaders, length(model->headers));
	assert_int_equal(count_location(operation, IOTDATA_LOCATION_BODY), model->payload != NULL);
}

static void
check_columns(const IotDataOperation *operation, const Model *model)
{
	int			nmembers = 0;

	for (int i = 0; i < operation->ncolumns; i++)
	{
		if (operation->columns[i].member == NULL)
			continue;
		assert_true(has(model->answer, operation->columns[i].member));
		nmembers++;
	}
	assert_int_equal(nmembers, length(model->answer));
}

static void
every_table_says_what_the_services_model_says(void **state)
{
	(void) state;
	for (int i = 0; iotdata_operations[i] != NULL; i++)
	{
		const IotDataOperation *operation = iotdata_operations[i];
		const Model *model = model_of(operation);

		assert_string_equal(operation->method, model->method);
		assert_string_equal(operation->path, model->path);
		assert_int_equal(operation->items != NULL, model->items != NULL);
		if (operation->items != NULL)
			assert_string_equal(operation->items, model->items);
		check_arguments(operation, model);
		check_columns(operation, model);
	}
}

/* ---- tables that make no sense ---- */

/* GetConnection's or SendDirectMessage's table, to be spoilt. */
static IotDataArgument arguments[IOTDATA_MAX_ARGUMENTS];
static IotDataColumn columns[IOTDATA_MAX_COLUMNS];

static IotDataOperation
copy(const IotDataOperation *operation)
{
	IotDataOperation table = *operation;

	memcpy(arguments, operation->arguments, sizeof(arguments[0]) * (size_t) operation->narguments);
	memcpy(columns, operation->columns, sizeof(columns[0]) * (size_t) operation->ncolumns);
	table.arguments = arguments;
	table.columns = columns;
	return table;
}

#define NOT_FOUND_OUT(operation, ...) \
	do { \
		IotDataOperation table = copy(&operation); \
		__VA_ARGS__; \
		if (table_fault(&table) == NULL) \
			fail_msg("not found out: %s", #__VA_ARGS__); \
	} while (0)

static void
a_table_that_makes_no_sense_is_refused(void **state)
{
	(void) state;
	/* GetConnection: client_id, include_socket_information, max_age */
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[0].types = IOTDATA_TYPE_INTEGER);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[0].types = 0);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[0].required = false);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[0].location = IOTDATA_LOCATION_QUERY);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[0].location = IOTDATA_LOCATION_NONE);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[0].max = 0);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[1].role = IOTDATA_ROLE_SUBJECT);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[2].role = IOTDATA_ROLE_SENT);
	NOT_FOUND_OUT(iotdata_operation_get_connection, arguments[2].location = IOTDATA_LOCATION_QUERY);
	NOT_FOUND_OUT(iotdata_operation_get_connection, table.path = "/connections");
	NOT_FOUND_OUT(iotdata_operation_get_connection, table.path = "/a/{b}/{c}");
	NOT_FOUND_OUT(iotdata_operation_get_connection, table.method = "POST");
	NOT_FOUND_OUT(iotdata_operation_get_connection, table.items = "connections");
	NOT_FOUND_OUT(iotdata_operation_get_connection, table.ncolumns = 0);
	NOT_FOUND_OUT(iotdata_operation_get_connection, columns[0].type = IOTDATA_WIRE_JSON);
	NOT_FOUND_OUT(iotdata_operation_get_connection, columns[0].type = IOTDATA_WIRE_OBSERVED_AT);
	/* SendDirectMessage: ..., payload, ..., confirmation, timeout, ... */
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, arguments[2].max = 0);
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, table.method = "GET");
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, arguments[5].role = IOTDATA_ROLE_SENT);
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, arguments[6].role = IOTDATA_ROLE_SENT);
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, arguments[6].types = IOTDATA_TYPE_INTEGER);
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, table.wait_default = 0);
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, table.unknown_outcome_hint = NULL);
	NOT_FOUND_OUT(iotdata_operation_send_direct_message, arguments[8].types = IOTDATA_TYPE_TEXT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_makes_sense),
		cmocka_unit_test(every_table_says_what_the_services_model_says),
		cmocka_unit_test(a_table_that_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
