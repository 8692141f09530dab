/*
 * sts_answer.c
 *		STS's answers, in XML.
 *
 * By libxml2, which PostgreSQL itself uses where Debian builds it. No error of
 * the library's reaches a handler that somebody else has set, nothing is
 * fetched, and a document with a type declaration, which no answer has, is
 * refused.
 */
#include "postgres.h"

#include "credentials/secret.h"
#include "credentials/sts_answer.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

/* no answer is nested deeper */
#define MAX_DEPTH 8

/* An element that has text only, by its name. */
static const struct
{
	const char *name;
	size_t		offset;
}			elements[] = {
	{"AccessKeyId", offsetof(IotDataStsAnswer, access_key_id)},
	{"SecretAccessKey", offsetof(IotDataStsAnswer, secret_access_key)},
	{"SessionToken", offsetof(IotDataStsAnswer, session_token)},
	{"Expiration", offsetof(IotDataStsAnswer, expiration)},
	{"Arn", offsetof(IotDataStsAnswer, assumed_role_arn)},
	{"Code", offsetof(IotDataStsAnswer, error_code)},
	{"Message", offsetof(IotDataStsAnswer, error_message)}
};

static void
ignore_error(void *unused, xmlErrorPtr error)
{
}

/* libxml2's memory is its own: what it holds of an answer is cleared. */
static void
clear_texts(xmlNodePtr node, int depth)
{
	for (; node != NULL && depth < MAX_DEPTH; node = node->next)
	{
		if (node->type == XML_TEXT_NODE && node->content != NULL)
			explicit_bzero(node->content, strlen((char *) node->content));
		clear_texts(node->children, depth + 1);
	}
}

static void
free_document(void *arg)
{
	xmlDocPtr	document = arg;

	clear_texts(xmlDocGetRootElement(document), 0);
	xmlFreeDoc(document);
}

/* The text of an element that has nothing else; NULL when it has. */
static const char *
text_of(const xmlNode *element)
{
	const xmlNode *text = element->children;

	if (text == NULL || text->next != NULL || text->type != XML_TEXT_NODE)
		return NULL;
	return iotdata_secret_copy((char *) text->content, strlen((char *) text->content));
}

static void
collect(IotDataStsAnswer *answer, const xmlNode *node, int depth)
{
	for (; node != NULL && depth < MAX_DEPTH; node = node->next)
	{
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (size_t i = 0; i < lengthof(elements); i++)
		{
			if (strcmp((char *) node->name, elements[i].name) == 0)
				*(const char **) ((char *) answer + elements[i].offset) = text_of(node);
		}
		collect(answer, node->children, depth + 1);
	}
}

static xmlDocPtr
parse(const char *text, size_t length)
{
	MemoryContextCallback *callback = palloc(sizeof(*callback));
	xmlStructuredErrorFunc handler = xmlStructuredError;
	void	   *context = xmlStructuredErrorContext;
	xmlDocPtr	document;

	xmlSetStructuredErrorFunc(NULL, (xmlStructuredErrorFunc) ignore_error);
	document = xmlReadMemory(text, (int) length, NULL, NULL,
							 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlSetStructuredErrorFunc(context, handler);
	if (document == NULL)
		return NULL;
	callback->func = free_document;
	callback->arg = document;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return document;
}

const char *
iotdata_sts_answer_read(const char *text, size_t length, IotDataStsAnswer *answer)
{
	xmlDocPtr	document = length < INT_MAX ? parse(text, length) : NULL;

	memset(answer, 0, sizeof(*answer));
	if (document == NULL)
		return "The answer is not XML.";
	if (document->intSubset != NULL)
		return "The answer has a document type declaration.";
	collect(answer, xmlDocGetRootElement(document), 0);
	return NULL;
}
