/*
 * sanitize.c
 *		Text from strangers, made fit for a message.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "error/sanitize.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

/* Append one character of UTF-8 in the database's encoding. */
static void
append_character(StringInfo out, Oid conversion, const unsigned char *character,
				 int length)
{
	unsigned char converted[MAX_CONVERSION_GROWTH * 4 + 1];

	if (GetDatabaseEncoding() == PG_UTF8)
		appendBinaryStringInfo(out, (const char *) character, length);
	else if (OidIsValid(conversion) &&
			 pg_do_encoding_conversion_buf(conversion, PG_UTF8,
										   GetDatabaseEncoding(),
										   unconstify(unsigned char *, character),
										   length, converted,
										   sizeof(converted), true) == length)
		appendStringInfoString(out, (char *) converted);
	else
		appendStringInfoChar(out, '?');
}

/*
 * Is this character of UTF-8 a control character: C0, DEL, or C1 (U+0080 to
 * U+009F), which terminals obey too?
 */
static bool
is_control(const unsigned char *character, int length)
{
	return length == 1 ? *character < ' ' || *character == 0x7f :
		length == 2 && character[0] == 0xc2 && character[1] < 0xa0;
}

char *
iotdata_sanitize(const char *bytes, size_t length)
{
	const unsigned char *next = (const unsigned char *) bytes;
	const unsigned char *end = next + length;
	Oid			conversion = InvalidOid;
	StringInfoData out;

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
		conversion = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());
	initStringInfo(&out);
	while (next < end)
	{
		int			size = pg_utf_mblen(next);

		if (size <= end - next && pg_utf8_islegal(next, size))
		{
			if (is_control(next, size))
				appendStringInfoChar(&out, ' ');
			else if (size == 1)
				appendStringInfoChar(&out, (char) *next);
			else
				append_character(&out, conversion, next, size);
		}
		else
		{
			appendStringInfoChar(&out, '?');
			size = 1;
		}
		next += size;
	}
	return out.data;
}

void
iotdata_truncate(char *text, int limit)
{
	int			length = (int) strlen(text);

	if (length > limit)
		text[pg_mbcliplen(text, length, limit)] = '\0';
}
