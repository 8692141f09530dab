/*
 * profile_syntax.h
 *		The lines of AWS's config and credentials files.
 *
 * AWS's CLI reads them with Python's configparser, and what that takes is what
 * is taken here, with one exception: a byte order mark at the beginning is
 * skipped, as AWS's JavaScript client does.
 *
 *		[section]
 *		name = value
 *		name: value
 *		    which goes on in lines that are indented deeper
 *		name =
 *		    nested = value
 *		# a comment, and
 *		; another: lines of their own. A '#' behind a value belongs to it.
 */
#ifndef IOTDATA_AWS_PROFILE_SYNTAX_H
#define IOTDATA_AWS_PROFILE_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

typedef enum IotDataProfileEvent
{
	IOTDATA_PROFILE_SECTION,	/* name: what is between the brackets */
	IOTDATA_PROFILE_PROPERTY,	/* name in lower case; value, lines joined */
	IOTDATA_PROFILE_NESTED,		/* belongs to the property before it */
	IOTDATA_PROFILE_END,
	IOTDATA_PROFILE_ERROR		/* see error; nothing follows */
} IotDataProfileEvent;

typedef enum IotDataProfileError
{
	IOTDATA_PROFILE_NO_ERROR,
	IOTDATA_PROFILE_NOT_TEXT,	/* a NUL byte, or not UTF-8 */
	IOTDATA_PROFILE_NO_SECTION, /* something before the first section */
	IOTDATA_PROFILE_NO_PROPERTY,	/* neither name = value nor a section */
	IOTDATA_PROFILE_SECTION_TWICE,
	IOTDATA_PROFILE_PROPERTY_TWICE,
	IOTDATA_PROFILE_TOO_LONG	/* more lines than there is room for */
} IotDataProfileError;

typedef struct IotDataProfileReader
{
	/* of the last event; strings are in the text */
	char	   *name;
	char	   *value;
	int			line;			/* where it begins, from 1 */
	IotDataProfileError error;

	/* the business of profile_syntax.c */
	char	   *next;
	char	   *end;
	int			lines;
	size_t		indent;
	bool		in_section;
	bool		in_property;
	bool		nests;
} IotDataProfileReader;

/*
 * Begin to read "length" bytes at "text", whose byte text[length] is there and
 * NUL. The text is changed while it is read: names and values are ended with a
 * NUL where they stand. Nothing is allocated.
 */
extern void iotdata_profile_reader_init(IotDataProfileReader *reader,
										char *text, size_t length);

extern IotDataProfileEvent iotdata_profile_reader_next(IotDataProfileReader *reader);

/*
 * What is wrong with a line, as a phrase that follows "line 3"; a constant
 * string.
 */
extern const char *iotdata_profile_explain(IotDataProfileError error);

#endif							/* IOTDATA_AWS_PROFILE_SYNTAX_H */
