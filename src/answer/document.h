/*
 * document.h
 *		JSON documents that belong to a memory context.
 */
#ifndef IOTDATA_ANSWER_DOCUMENT_H
#define IOTDATA_ANSWER_DOCUMENT_H

#include "postgres.h"

#include "aws/json.h"

/*
 * The root of a JSON text; the document is freed with the current memory
 * context. The root is MISSING when the text is not JSON, with *why set.
 */
extern IotDataJsonValue iotdata_document_parse(const char *text, size_t length,
											   const char **why);

#endif							/* IOTDATA_ANSWER_DOCUMENT_H */
