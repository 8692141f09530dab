/*
 * json.h
 *		JSON as RFC 8259 has it, read in one pass.
 *
 * What PostgreSQL or the service's types cannot hold is an error: a NUL inside
 * a string, a lone surrogate, an integer beyond 64 bits, a real beyond a
 * double. So is deeper nesting than any answer has.
 */
#ifndef IOTDATA_AWS_JSON_H
#define IOTDATA_AWS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/buffer.h"
#include "aws/json_document.h"

/* A place in a document; valid as long as the document. */
typedef struct IotDataJsonValue
{
	IotDataJsonType type;
	bool		boolean;
	int64_t		integer;
	double		real;
	const char *string;			/* UTF-8, valid, without NUL bytes inside */
	size_t		length;			/* bytes of a string, elements of an array */
	void	   *node;			/* for this module only */
} IotDataJsonValue;

/*
 * Parse "length" bytes that are exactly one JSON text (white space around it
 * is allowed), which are copied. Returns a document to be given to
 * iotdata_json_free, or NULL with *why set to a constant phrase in lower case
 * ("not valid UTF-8"). Takes a constant amount of stack, and time and memory
 * that grow with the length alone.
 */
extern IotDataJson *iotdata_json_parse(const char *text, size_t length,
									   const char **why);

/* The document's memory is cleared before it is freed: it may hold secrets. */
extern void iotdata_json_free(IotDataJson *document);

extern IotDataJsonValue iotdata_json_root(const IotDataJson *document);

/*
 * MISSING when "object" is not an object or has no such member. Of several
 * members of one name the last counts.
 */
extern IotDataJsonValue iotdata_json_member(IotDataJsonValue object,
											const char *name);

/*
 * MISSING when "array" is not an array or has no such element (from 0). To go
 * from one to the next takes constant time.
 */
extern IotDataJsonValue iotdata_json_element(IotDataJsonValue array,
											 size_t index);

/*
 * Append the JSON text of a place that exists, compact, numbers as they were
 * written. It takes at most iotdata_json_text_size bytes, the NUL included.
 */
extern void iotdata_json_write(IotDataBuffer *out, IotDataJsonValue value);
extern size_t iotdata_json_text_size(IotDataJsonValue value);

#endif							/* IOTDATA_AWS_JSON_H */
