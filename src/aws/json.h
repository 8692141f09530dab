/*
 * json.h
 *		JSON as RFC 8259 has it, over json-c, which by itself takes more.
 *
 * json-c accepts NaN, single quotes and trailing text, clamps integers beyond
 * 64 bits and replaces lone surrogates; here each of these is an error, and so
 * is a NUL inside a string (PostgreSQL's text cannot hold one). Types of
 * json-c do not show: its json_object clashes with a function of PostgreSQL.
 */
#ifndef IOTDATA_AWS_JSON_H
#define IOTDATA_AWS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct IotDataJson IotDataJson;

typedef enum IotDataJsonType
{
	IOTDATA_JSON_MISSING,		/* no such member or element */
	IOTDATA_JSON_NULL,
	IOTDATA_JSON_BOOLEAN,
	IOTDATA_JSON_INTEGER,		/* no fraction and no exponent; fits 64 bits */
	IOTDATA_JSON_REAL,
	IOTDATA_JSON_STRING,
	IOTDATA_JSON_ARRAY,
	IOTDATA_JSON_OBJECT
} IotDataJsonType;

/* A place in a document; valid as long as the document. */
typedef struct IotDataJsonValue
{
	IotDataJsonType type;
	bool		boolean;
	int64_t		integer;
	double		real;
	const char *string;			/* UTF-8, valid, without NUL bytes inside */
	size_t		length;			/* bytes of a string, elements of an array */
	const void *node;			/* for this module only */
} IotDataJsonValue;

/*
 * Parse "length" bytes that are exactly one JSON text (white space around it
 * is allowed). Returns a document to be given to iotdata_json_free, or NULL
 * with *why set to a constant phrase in lower case ("not valid UTF-8").
 * Nested deeper than 32 levels is an error, and so is a real too large for a
 * double (unless a later member of the same name has replaced it).
 */
extern IotDataJson *iotdata_json_parse(const char *text, size_t length,
									   const char **why);
extern void iotdata_json_free(IotDataJson *document);

extern IotDataJsonValue iotdata_json_root(const IotDataJson *document);

/*
 * MISSING when "object" is not an object or has no such member. Of several
 * members of one name the last counts.
 */
extern IotDataJsonValue iotdata_json_member(IotDataJsonValue object,
											const char *name);

/* MISSING when "array" is not an array or has no such element (from 0). */
extern IotDataJsonValue iotdata_json_element(IotDataJsonValue array,
											 size_t index);

/*
 * The JSON text of a place that exists, compact, numbers as they were written.
 * It belongs to the document, and lasts until the place is asked again; NULL
 * when there is no memory.
 */
extern const char *iotdata_json_text(IotDataJsonValue value);

#endif							/* IOTDATA_AWS_JSON_H */
