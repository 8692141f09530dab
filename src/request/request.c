/*
 * request.c
 *		From an operation's table and its arguments to a request.
 */
#include "postgres.h"

#include "aws/uri.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "request/request.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

/* Append bytes in percent-encoding, three characters for each at the most. */
static void
append_encoded(StringInfo out, IotDataBytes bytes)
{
	IotDataBuffer buffer;
	size_t		size = bytes.length * 3 + 1;

	enlargeStringInfo(out, (int) size);
	iotdata_buffer_init(&buffer, out->data + out->len, size);
	iotdata_uri_encode(&buffer, bytes.data, bytes.length);
	out->len += (int) buffer.length;
}

static void
append_query(StringInfo query, const char *name, IotDataBytes value)
{
	if (query->len > 0)
		appendStringInfoChar(query, '&');
	appendStringInfoString(query, name);
	appendStringInfoChar(query, '=');
	append_encoded(query, value);
}

/* The operation's path with "value" in the place of its one {label}. */
static const char *
fill_path(const char *path, IotDataBytes value)
{
	StringInfoData filled;
	const char *label = strchr(path, '{');
	const char *end = strchr(path, '}');

	initStringInfo(&filled);
	appendBinaryStringInfo(&filled, path, (int) (label - path));
	append_encoded(&filled, value);
	appendStringInfoString(&filled, end + 1);
	return filled.data;
}

static void
add_header(IotDataRequest *request, const char *name, IotDataBytes value)
{
	if (request->nheaders == IOTDATA_REQUEST_MAX_HEADERS)
		iotdata_raise_resources("there are too many headers");
	request->headers[request->nheaders++] = (IotDataHeader) {name, value.data};
}

static void
put_argument(IotDataRequest *request, StringInfo query,
			 const IotDataArgument *argument, IotDataBytes value)
{
	switch (argument->location)
	{
		case IOTDATA_LOCATION_PATH:
			request->path = fill_path(request->path, value);
			break;
		case IOTDATA_LOCATION_QUERY:
			append_query(query, argument->location_name, value);
			break;
		case IOTDATA_LOCATION_HEADER:
			add_header(request, argument->location_name, value);
			break;
		case IOTDATA_LOCATION_BODY:
			request->body = value;
			break;
		case IOTDATA_LOCATION_NONE:
			break;
	}
}

static bool
is_null(const NullableDatum *values, const IotDataArgumentTypes *types, int i)
{
	return i >= types->count || values[i].isnull;
}

/* Is every required argument there? For an action it is an error if not. */
static bool
has_required(const IotDataOperation *operation, const NullableDatum *values,
			 const IotDataArgumentTypes *types)
{
	for (int i = 0; i < operation->narguments; i++)
	{
		IotDataFailure failure = {.sqlstate = ERRCODE_NULL_VALUE_NOT_ALLOWED};

		if (!operation->arguments[i].required || !is_null(values, types, i))
			continue;
		if (!iotdata_operation_is_action(operation))
			return false;
		failure.message = psprintf("%s must not be null",
								   operation->arguments[i].name);
		iotdata_raise(&failure);
	}
	return true;
}

/*
 * May the service wait for the device? A time to wait without that is ignored,
 * as the API does, but not silently.
 */
static bool
waits(const IotDataOperation *operation, const NullableDatum *values,
	  const IotDataArgumentTypes *types)
{
	const IotDataArgument *flag = NULL;
	const IotDataArgument *time = NULL;

	for (int i = 0; i < operation->narguments; i++)
	{
		const IotDataArgument *argument = &operation->arguments[i];

		if (is_null(values, types, i))
			continue;
		if (argument->role == IOTDATA_ROLE_WAIT_FLAG && DatumGetBool(values[i].value))
			flag = argument;
		if (argument->role == IOTDATA_ROLE_WAIT_TIME)
			time = argument;
	}
	if (time != NULL && flag == NULL)
		ereport(NOTICE,
				errmsg("%s is ignored without %s", time->name,
					   iotdata_operation_argument(operation, IOTDATA_ROLE_WAIT_FLAG)->name));
	return flag != NULL;
}

/* What CONTEXT tells of a value: texts, but nothing of a payload. */
static const char *
shown_value(const IotDataRequest *request, const IotDataArgument *argument,
			Datum value, Oid type)
{
	if (argument->role == IOTDATA_ROLE_SUBJECT)
		return request->subject;
	return type == TEXTOID && argument->location != IOTDATA_LOCATION_BODY ?
		TextDatumGetCString(value) : NULL;
}

/* What the request is about, before anything of it is checked. */
static void
set_subject(IotDataRequest *request, const NullableDatum *values,
			const IotDataArgumentTypes *types, IotDataErrorContext *context)
{
	for (int i = 0; i < types->count; i++)
	{
		const IotDataArgument *argument = &request->operation->arguments[i];

		if (argument->role != IOTDATA_ROLE_SUBJECT)
			continue;
		request->subject = TextDatumGetCString(values[i].value);
		context->subject_name = argument->name;
		context->subject = request->subject;
	}
}

/* Check an argument that is not NULL, and put it where it belongs. */
static void
add_argument(IotDataRequest *request, StringInfo query,
			 const IotDataArgument *argument, Datum value, Oid type,
			 bool waiting)
{
	IotDataBytes bytes;

	if (argument->role == IOTDATA_ROLE_MAX_AGE)
	{
		request->max_age = iotdata_argument_age(argument, value);
		return;
	}
	if (argument->role == IOTDATA_ROLE_SERVER)
	{
		request->server = pstrdup(NameStr(*DatumGetName(value)));
		return;
	}
	bytes = iotdata_argument_encode(argument, value, type);
	if (argument->role == IOTDATA_ROLE_WAIT_TIME)
	{
		if (!waiting)
			return;
		request->wait_seconds = pg_strtoint32(bytes.data);
	}
	put_argument(request, query, argument, bytes);
}

/* Path and query in one. */
static void
set_request_target(IotDataRequest *request, const char *query, size_t length)
{
	size_t		path_length = strlen(request->path);
	char	   *target = palloc(path_length + 1 + length + 1);

	request->query = query;
	memcpy(target, request->path, path_length);
	target[path_length] = '?';
	memcpy(target + path_length + 1, query, length + 1);
	request->request_target_length = length > 0 ? path_length + 1 + length : path_length;
	target[request->request_target_length] = '\0';
	request->request_target = target;
}

IotDataRequest *
iotdata_request_build(const IotDataOperation *operation,
					  const NullableDatum *values,
					  const IotDataArgumentTypes *types,
					  IotDataErrorContext *context)
{
	IotDataRequest *request;
	StringInfoData query;
	bool		waiting;

	if (iotdata_operation_is_action(operation))
		PreventCommandIfReadOnly(operation->name);
	if (!has_required(operation, values, types))
		return NULL;
	request = palloc0(sizeof(*request));
	request->operation = operation;
	request->path = operation->path;
	request->body.data = "";
	request->max_age = -1;
	initStringInfo(&query);
	set_subject(request, values, types, context);
	waiting = waits(operation, values, types);
	if (waiting)
		request->wait_seconds = operation->wait_default;
	for (int i = 0; i < types->count; i++)
	{
		const IotDataArgument *argument = &operation->arguments[i];

		if (values[i].isnull)
			continue;
		context->argument = argument->name;
		context->value = shown_value(request, argument, values[i].value,
									 types->types[i]);
		add_argument(request, &query, argument, values[i].value, types->types[i],
					 waiting);
	}
	context->argument = NULL;
	context->value = NULL;
	set_request_target(request, query.data, query.len);
	return request;
}

IotDataRequest *
iotdata_request_next_page(const IotDataRequest *request, IotDataBytes token)
{
	IotDataRequest *next = palloc(sizeof(*next));
	StringInfoData query;

	*next = *request;
	initStringInfo(&query);
	appendStringInfoString(&query, request->query);
	append_query(&query, "nextToken", token);
	set_request_target(next, query.data, query.len);
	return next;
}

size_t
iotdata_request_subject_path_length(const IotDataRequest *request)
{
	size_t		before = strcspn(request->operation->path, "{");

	if (request->subject == NULL || request->operation->path[before] == '\0')
		return 0;
	/* a slash in the label is encoded */
	return before + strcspn(request->path + before, "/");
}
