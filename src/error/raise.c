/*
 * raise.c
 *		The one function that raises errors, and their CONTEXT.
 */
#include "postgres.h"

#include "error/raise.h"
#include "mb/pg_wchar.h"

/* bytes of a value that CONTEXT shows */
#define SHOWN_VALUE 128

void
iotdata_raise(const IotDataFailure *failure)
{
	ereport(ERROR,
			errcode(failure->sqlstate),
			errmsg("%s", failure->message),
			failure->detail ? errdetail("%s", failure->detail) : 0,
			failure->hint ? errhint("%s", failure->hint) : 0);
}

void
iotdata_raise_argument(const char *message)
{
	IotDataFailure failure = {
		.sqlstate = ERRCODE_INVALID_PARAMETER_VALUE,
		.message = message,
	};

	iotdata_raise(&failure);
}

void
iotdata_raise_version(const char *object)
{
	IotDataFailure failure = {
		.sqlstate = ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
		.message = psprintf("%s does not fit the library iotdata %s", object, IOTDATA_VERSION),
		.detail = "The extension's SQL objects and its library are of different versions.",
		.hint = "Run ALTER EXTENSION iotdata UPDATE."
	};

	iotdata_raise(&failure);
}

void
iotdata_raise_resources(const char *message)
{
	IotDataFailure failure = {
		.sqlstate = ERRCODE_INSUFFICIENT_RESOURCES,
		.message = message,
		.detail = "The backend is out of memory or of file descriptors."
	};

	iotdata_raise(&failure);
}

/* ' "value"', or '' when there is none. */
static const char *
quoted(const char *value)
{
	int			length;
	int			shown;

	if (value == NULL)
		return "";
	length = (int) strlen(value);
	shown = length > SHOWN_VALUE ? pg_mbcliplen(value, length, SHOWN_VALUE) : length;
	return psprintf(" \"%.*s%s\"", shown, value, shown < length ? "..." : "");
}

static void
describe(void *arg)
{
	const IotDataErrorContext *context = arg;

	if (context->argument != NULL && context->subject != NULL &&
		strcmp(context->argument, context->subject_name) != 0)
		errcontext("argument %s%s of AWS IoT %s, %s%s",
				   context->argument, quoted(context->value), context->operation,
				   context->subject_name, quoted(context->subject));
	else if (context->argument != NULL)
		errcontext("argument %s%s of AWS IoT %s",
				   context->argument, quoted(context->value), context->operation);
	else if (context->subject != NULL)
		errcontext("AWS IoT %s, %s%s", context->operation,
				   context->subject_name, quoted(context->subject));
	else
		errcontext("AWS IoT %s", context->operation);
}

void
iotdata_error_context_push(IotDataErrorContext *context, const char *operation)
{
	memset(context, 0, sizeof(*context));
	context->operation = operation;
	context->callback.callback = describe;
	context->callback.arg = context;
	context->callback.previous = error_context_stack;
	error_context_stack = &context->callback;
}

void
iotdata_error_context_pop(IotDataErrorContext *context)
{
	error_context_stack = context->callback.previous;
}
