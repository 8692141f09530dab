/*
 * request.c
 *		From an operation's table and its arguments to a request.
 */
#include "postgres.h"

#include "aws/uri.h"
#include "lib/stringinfo.h"
#include "request/request.h"
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

	Assert(label != NULL && end != NULL);
	initStringInfo(&filled);
	appendBinaryStringInfo(&filled, path, (int) (label - path));
	append_encoded(&filled, value);
	appendStringInfoString(&filled, end + 1);
	return filled.data;
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
			/* an empty value says no more than none */
			if (value.length == 0)
				break;
			Assert(request->nheaders < IOTDATA_REQUEST_MAX_HEADERS);
			request->headers[request->nheaders++] =
				(IotDataHeader) {argument->location_name, value.data};
			break;
		case IOTDATA_LOCATION_BODY:
			request->body = value;
			break;
		case IOTDATA_LOCATION_NONE:
			break;
	}
}

/* Is every required argument there? For an action it is an error if not. */
static bool
has_required(const IotDataOperation *operation, const NullableDatum *values)
{
	for (int i = 0; i < operation->narguments; i++)
	{
		IotDataFailure failure = {.sqlstate = ERRCODE_NULL_VALUE_NOT_ALLOWED};

		if (!operation->arguments[i].required || !values[i].isnull)
			continue;
		if (!operation->is_action)
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
waits(const IotDataOperation *operation, const NullableDatum *values)
{
	int			flag = operation->wait_flag;
	int			time = operation->wait_time;

	if (flag < 0)
		return false;
	if (!values[flag].isnull && DatumGetBool(values[flag].value))
		return true;
	if (!values[time].isnull)
		ereport(NOTICE,
				errmsg("%s is ignored without %s",
					   operation->arguments[time].name,
					   operation->arguments[flag].name));
	return false;
}

/* Path and query in one. */
static void
set_target(IotDataRequest *request, const char *query, size_t length)
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
					  const NullableDatum *values, const Oid *types,
					  IotDataErrorContext *context)
{
	IotDataRequest *request;
	StringInfoData query;
	bool		waiting;

	if (!has_required(operation, values))
		return NULL;
	request = palloc0(sizeof(*request));
	request->operation = operation;
	request->path = operation->path;
	request->body.data = "";
	request->max_age = -1;
	initStringInfo(&query);
	waiting = waits(operation, values);
	if (waiting)
		request->wait_seconds = operation->wait_default;
	for (int i = 0; i < operation->narguments; i++)
	{
		IotDataBytes value;

		if (values[i].isnull)
			continue;
		context->argument = &operation->arguments[i];
		if (i == operation->max_age)
		{
			request->max_age = iotdata_argument_age(context->argument,
													values[i].value);
			continue;
		}
		value = iotdata_argument_encode(context->argument, values[i].value,
										types[i]);
		if (i == operation->wait_time)
		{
			if (!waiting)
				continue;
			request->wait_seconds = pg_strtoint32(value.data);
		}
		put_argument(request, &query, context->argument, value);
	}
	context->argument = NULL;
	request->subject = TextDatumGetCString(values[0].value);
	context->subject = request->subject;
	set_target(request, query.data, query.len);
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
	set_target(next, query.data, query.len);
	return next;
}
