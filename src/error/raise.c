/*
 * raise.c
 *		The one function that raises errors, and their CONTEXT.
 */
#include "postgres.h"

#include "error/raise.h"

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
iotdata_raise_resources(const char *message)
{
	IotDataFailure failure = {
		.sqlstate = ERRCODE_INSUFFICIENT_RESOURCES,
		.message = message,
		.detail = "The backend is out of memory or of file descriptors."
	};

	iotdata_raise(&failure);
}

static void
describe(void *arg)
{
	IotDataErrorContext *context = arg;
	const IotDataOperation *operation = context->operation;

	if (context->argument != NULL)
		errcontext("argument %s of AWS IoT %s", context->argument->name,
				   operation->name);
	else if (context->subject != NULL)
		errcontext("AWS IoT %s, %s \"%s\"", operation->name,
				   operation->arguments[0].name, context->subject);
	else
		errcontext("AWS IoT %s", operation->name);
}

void
iotdata_error_context_push(IotDataErrorContext *context,
						   const IotDataOperation *operation)
{
	context->operation = operation;
	context->argument = NULL;
	context->subject = NULL;
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
