/*
 * json_document.h
 *		What json_parse.c makes, and json.c reads.
 */
#ifndef IOTDATA_AWS_JSON_DOCUMENT_H
#define IOTDATA_AWS_JSON_DOCUMENT_H

#include "aws/json.h"

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

struct IotDataJson
{
	IotDataJsonNode *nodes;
	size_t		count;
	size_t		room;			/* for nodes */
	size_t		length;
	char		text[];			/* a copy of it, and a NUL */
};

/*
 * Fill in the nodes of a document that has its text. Returns NULL, or what is
 * wrong.
 */
extern const char *iotdata_json_read(IotDataJson *document);

#endif							/* IOTDATA_AWS_JSON_DOCUMENT_H */
