/*
 * json_document.h
 *		What a JSON document consists of, for json_parse.c and json.c only.
 */
#ifndef IOTDATA_AWS_JSON_DOCUMENT_H
#define IOTDATA_AWS_JSON_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most arrays and objects that can be open at once. */
#define IOTDATA_JSON_MAX_DEPTH 32

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

/*
 * A value. What is in an array or an object follows it: of an object, each
 * member's name, a string, and then its value.
 */
typedef struct IotDataJsonNode
{
	IotDataJsonType type;
	uint32_t	span;			/* nodes of the value, this one included */
	char	   *source;			/* where its text begins; a string is read
								 * over it, from the second byte on */
	size_t		source_length;
	union
	{
		bool		boolean;
		int64_t		integer;
		double		real;
		size_t		length;		/* of a string */
		struct
		{
			uint32_t	count;
			uint32_t	last;	/* the element that was asked for last, */
			uint32_t	offset; /* and how far it is behind this node */
		}			array;
	};
} IotDataJsonNode;

typedef struct IotDataJson
{
	IotDataJsonNode *nodes;
	size_t		count;
	size_t		room;			/* for nodes */
	size_t		length;
	char		text[];			/* a copy of it, and a NUL */
} IotDataJson;

#endif							/* IOTDATA_AWS_JSON_DOCUMENT_H */
