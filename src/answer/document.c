/*
 * document.c
 *		JSON documents that belong to a memory context.
 */
#include "postgres.h"

#include "answer/document.h"
#include "utils/palloc.h"

static void
free_document(void *arg)
{
	iotdata_json_free(arg);
}

IotDataJsonValue
iotdata_document_parse(const char *text, size_t length, const char **why)
{
	MemoryContextCallback *callback = palloc(sizeof(*callback));
	IotDataJson *document = iotdata_json_parse(text, length, why);

	if (document == NULL)
		return (IotDataJsonValue) {.type = IOTDATA_JSON_MISSING};
	callback->func = free_document;
	callback->arg = document;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return iotdata_json_root(document);
}
