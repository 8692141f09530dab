/*
 * iso8601.c
 *		Times as AWS's answers have them.
 */
#include <string.h>

#include "aws/iso8601.h"

/* What has not been read yet. Every function below goes past what it reads. */
typedef struct Cursor
{
	const char *at;
	const char *end;
} Cursor;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One of these characters. */
static bool
read_one_of(Cursor *cursor, const char *characters)
{
	if (cursor->at == cursor->end || *cursor->at == '\0' ||
		strchr(characters, *cursor->at) == NULL)
		return false;
	cursor->at++;
	return true;
}

/* A number of exactly so many digits, from "least" to "most". */
static bool
read_number(Cursor *cursor, int digits, int least, int most, int *number)
{
	*number = 0;
	while (digits-- > 0)
	{
		if (cursor->at == cursor->end || !is_digit(*cursor->at))
			return false;
		*number = *number * 10 + (*cursor->at++ - '0');
	}
	return *number >= least && *number <= most;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return (month == 2 && leap) ? 29 : days[month - 1];
}

/*
 * Days from 1970-01-01 to a day of the Gregorian calendar. Years are taken to
 * begin in March, so that a leap day is the last day of one.
 */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t		y = (month > 2) ? year : year - 1;
	int64_t		months = (month + 9) % 12;	/* since March */
	int64_t		leap_days = y / 4 - y / 100 + y / 400;
	const int64_t epoch = 719468;	/* 1970-01-01, counted likewise */

	/* from March on, five months have 153 days: 31, 30, 31, 30, 31 */
	return y * 365 + leap_days + (months * 153 + 2) / 5 + day - 1 - epoch;
}

static bool
read_date(Cursor *cursor, int64_t *seconds)
{
	int			year;
	int			month;
	int			day;

	if (!read_number(cursor, 4, 1, 9999, &year) ||
		!read_one_of(cursor, "-") ||
		!read_number(cursor, 2, 1, 12, &month) ||
		!read_one_of(cursor, "-") ||
		!read_number(cursor, 2, 1, days_in_month(year, month), &day))
		return false;
	*seconds = days_since_1970(year, month, day) * 86400;
	return true;
}

static bool
read_time(Cursor *cursor, int64_t *seconds)
{
	int			hour;
	int			minute;
	int			second;

	if (!read_number(cursor, 2, 0, 23, &hour) ||
		!read_one_of(cursor, ":") ||
		!read_number(cursor, 2, 0, 59, &minute) ||
		!read_one_of(cursor, ":") ||
		!read_number(cursor, 2, 0, 60, &second))
		return false;
	*seconds += hour * 3600 + minute * 60 + second;
	if (read_one_of(cursor, ".,"))
	{
		if (cursor->at == cursor->end || !is_digit(*cursor->at))
			return false;
		while (cursor->at < cursor->end && is_digit(*cursor->at))
			cursor->at++;
	}
	return true;
}

/* What the zone is ahead of UTC comes off. */
static bool
read_zone(Cursor *cursor, int64_t *seconds)
{
	bool		behind = cursor->at < cursor->end && *cursor->at == '-';
	int			hours;
	int			minutes = 0;
	int			offset;

	if (read_one_of(cursor, "Zz"))
		return true;
	if (!read_one_of(cursor, "+-") || !read_number(cursor, 2, 0, 23, &hours))
		return false;
	if (cursor->at < cursor->end)
	{
		(void) read_one_of(cursor, ":");
		if (!read_number(cursor, 2, 0, 59, &minutes))
			return false;
	}
	offset = hours * 3600 + minutes * 60;
	*seconds += behind ? offset : -offset;
	return true;
}

bool
iotdata_iso8601_parse(const char *text, size_t length, int64_t *seconds)
{
	Cursor		cursor = {text, text + length};
	int64_t		result;

	if (!read_date(&cursor, &result) || !read_one_of(&cursor, "Tt ") ||
		!read_time(&cursor, &result) || !read_zone(&cursor, &result) ||
		cursor.at != cursor.end)
		return false;
	*seconds = result;
	return true;
}
