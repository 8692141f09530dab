/*
 * printable.c
 *		Text from strangers, made fit for a message.
 */
#include "postgres.h"

#include "call/printable.h"
#include "catalog/namespace.h"
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

char *
iotdata_printable(const char *bytes, size_t length)
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

		if (*next < 0x80)
			appendStringInfoChar(&out, *next < ' ' || *next == 0x7f ? ' ' : *next);
		else if (size <= end - next && pg_utf8_islegal(next, size))
			append_character(&out, conversion, next, size);
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
