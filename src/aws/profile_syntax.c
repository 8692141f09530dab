/*
 * profile_syntax.c
 *		The lines of AWS's config and credentials files.
 *
 * A property's value may go on in the lines after it, so it is known when a
 * line has been looked at that does not belong to it; that line is read again.
 * What goes on is moved up to what there is already, which takes no more room
 * than the lines had.
 */
#include "aws/profile_syntax.h"

#include <string.h>

#include "aws/utf8.h"

/* One line without its blanks. */
typedef struct Line
{
	char	   *begin;
	char	   *end;
	size_t		indent;			/* characters before it */
	char	   *next;			/* the line after it */
} Line;

/*
 * The bytes of a character that Python takes for white space; 0 when it is
 * none. The text is UTF-8.
 */
static size_t
space_length(const char *at, const char *end)
{
	static const char *const wide[] = {
		"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"
	};
	unsigned char byte = (unsigned char) *at;

	if (byte < 0x80)
		return byte == ' ' || (byte >= '\t' && byte <= '\r') ||
			(byte >= 0x1c && byte <= 0x1f);
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
	{
		size_t		length = strlen(wide[i]);

		if ((size_t) (end - at) >= length && memcmp(at, wide[i], length) == 0)
			return length;
	}
	/* U+2000 to U+200A */
	if (end - at >= 3 && memcmp(at, "\xe2\x80", 2) == 0 &&
		(unsigned char) at[2] >= 0x80 && (unsigned char) at[2] <= 0x8a)
		return 3;
	return 0;
}

/* Where the last character before "end" begins. */
static char *
character_before(const char *begin, char *end)
{
	do
		end--;
	while (end > begin && ((unsigned char) *end & 0xc0) == 0x80);
	return end;
}

/* Leave the blanks at both ends of a text out; returns how many at its begin. */
static size_t
strip(char **begin, char **end)
{
	size_t		blanks = 0;

	while (*begin < *end)
	{
		size_t		length = space_length(*begin, *end);

		if (length == 0)
			break;
		*begin += length;
		blanks++;
	}
	while (*begin < *end)
	{
		char	   *last = character_before(*begin, *end);

		if (space_length(last, *end) == 0)
			break;
		*end = last;
	}
	return blanks;
}

/* The line at "at": it ends with LF, CR LF, or CR. */
static Line
line_at(char *at, const char *end)
{
	Line		line = {.begin = at};
	char	   *stop = at;

	while (stop < end && *stop != '\n' && *stop != '\r')
		stop++;
	line.next = stop;
	if (line.next < end)
		line.next += (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n') ? 2 : 1;
	line.end = stop;
	line.indent = strip(&line.begin, &line.end);
	return line;
}

static bool
is_comment(const Line *line)
{
	return line->begin < line->end &&
		(*line->begin == '#' || *line->begin == ';');
}

static bool
is_text(const char *at, const char *end)
{
	while (at < end)
	{
		size_t		length = iotdata_utf8_length(at, (size_t) (end - at));

		if (length == 0 || *at == '\0')
			return false;
		at += length;
	}
	return true;
}

void
iotdata_profile_reader_init(IotDataProfileReader *reader, char *text,
							size_t length)
{
	memset(reader, 0, sizeof(*reader));
	reader->next = text;
	reader->end = text + length;
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reader->next += 3;
}

static IotDataProfileEvent
fail(IotDataProfileReader *reader, IotDataProfileError error)
{
	reader->error = error;
	reader->line = reader->lines;
	reader->next = reader->end;
	return IOTDATA_PROFILE_ERROR;
}

/* A name and a value at both sides of "mark", blanks left out. */
static bool
split(IotDataProfileReader *reader, const Line *line, char *mark)
{
	char	   *name_end = mark;
	char	   *value = mark + 1;
	char	   *value_end = line->end;

	reader->name = line->begin;
	strip(&reader->name, &name_end);
	strip(&value, &value_end);
	*name_end = '\0';
	*value_end = '\0';
	reader->value = value;
	reader->line = reader->lines;
	return name_end > reader->name;
}

/*
 * The lines that a value goes on in, after the one that it begins in. Blank
 * lines among them are kept, those at the end are not, and comments are left
 * out.
 */
static void
join_lines(IotDataProfileReader *reader)
{
	char	   *end = reader->value + strlen(reader->value);
	size_t		blank = 0;

	while (reader->next < reader->end)
	{
		Line		line = line_at(reader->next, reader->end);
		size_t		length = (size_t) (line.end - line.begin);

		if (length > 0 && !is_comment(&line))
		{
			if (line.indent <= reader->indent ||
				!is_text(line.begin, line.end))
				break;
			memset(end, '\n', blank + 1);
			end += blank + 1;
			memmove(end, line.begin, length);
			end += length;
			blank = 0;
		}
		else if (length == 0)
			blank++;
		reader->next = line.next;
		reader->lines++;
	}
	*end = '\0';
}

static IotDataProfileEvent
read_section(IotDataProfileReader *reader, const Line *line, char *bracket)
{
	reader->name = line->begin + 1;
	reader->value = NULL;
	reader->line = reader->lines;
	reader->indent = line->indent;
	reader->in_section = true;
	reader->in_property = false;
	*bracket = '\0';
	return IOTDATA_PROFILE_SECTION;
}

static IotDataProfileEvent
read_property(IotDataProfileReader *reader, const Line *line)
{
	char	   *mark = line->begin;

	while (mark < line->end && *mark != '=' && *mark != ':')
		mark++;
	if (mark == line->end || !split(reader, line, mark))
		return fail(reader, IOTDATA_PROFILE_NO_PROPERTY);
	for (char *c = reader->name; *c != '\0'; c++)
	{
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	}
	reader->indent = line->indent;
	reader->in_property = true;
	reader->nests = *reader->value == '\0';
	if (!reader->nests)
		join_lines(reader);
	return IOTDATA_PROFILE_PROPERTY;
}

/* A line below a property without a value. */
static IotDataProfileEvent
read_nested(IotDataProfileReader *reader, const Line *line)
{
	char	   *mark = memchr(line->begin, '=', (size_t) (line->end - line->begin));

	if (mark == NULL)
		return fail(reader, IOTDATA_PROFILE_NO_PROPERTY);
	split(reader, line, mark);
	return IOTDATA_PROFILE_NESTED;
}

/* The last closing bracket; NULL when the line is not a section's. */
static char *
section_end(const Line *line)
{
	char	   *bracket = NULL;

	if (*line->begin != '[')
		return NULL;
	/* a name has one character at least */
	for (char *c = line->begin + 2; c < line->end; c++)
	{
		if (*c == ']')
			bracket = c;
	}
	return bracket;
}

IotDataProfileEvent
iotdata_profile_reader_next(IotDataProfileReader *reader)
{
	while (reader->next < reader->end)
	{
		Line		line = line_at(reader->next, reader->end);
		char	   *bracket;

		reader->next = line.next;
		reader->lines++;
		if (!is_text(line.begin, line.end))
			return fail(reader, IOTDATA_PROFILE_NOT_TEXT);
		if (line.begin == line.end || is_comment(&line))
			continue;
		if (reader->in_property && reader->nests && line.indent > reader->indent)
			return read_nested(reader, &line);
		bracket = section_end(&line);
		if (bracket != NULL)
			return read_section(reader, &line, bracket);
		if (!reader->in_section)
			return fail(reader, IOTDATA_PROFILE_NO_SECTION);
		return read_property(reader, &line);
	}
	return reader->error == IOTDATA_PROFILE_NO_ERROR ?
		IOTDATA_PROFILE_END : IOTDATA_PROFILE_ERROR;
}

const char *
iotdata_profile_explain(IotDataProfileError error)
{
	switch (error)
	{
		case IOTDATA_PROFILE_NO_ERROR:
			break;
		case IOTDATA_PROFILE_NOT_TEXT:
			return "is not UTF-8 text";
		case IOTDATA_PROFILE_NO_SECTION:
			return "comes before the first section";
		case IOTDATA_PROFILE_NO_PROPERTY:
			return "is neither a section in brackets nor a name and a value";
		case IOTDATA_PROFILE_SECTION_TWICE:
			return "begins a section that is there already";
		case IOTDATA_PROFILE_PROPERTY_TWICE:
			return "gives a name that the section has already";
		case IOTDATA_PROFILE_TOO_LONG:
			return "is one line too many";
	}
	return "is as it should be";
}
