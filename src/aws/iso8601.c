/*
 * iso8601.c
 *		Times as AWS's services write them.
 */
#include "aws/iso8601.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number of so many digits, which is gone past; -1 when it is none. */
static int
take_number(const char **at, int digits)
{
	int			value = 0;

	for (int i = 0; i < digits; i++, ++*at)
	{
		if (!is_digit(**at))
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool
take(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_of(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of January. */
static int64_t
days_before(int year)
{
	int64_t		y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static bool
take_date(const char **at, int64_t *days)
{
	int			year = take_number(at, 4);
	int			month = year >= 1 && take(at, '-') ? take_number(at, 2) : -1;
	int			day = month >= 1 && month <= 12 && take(at, '-') ? take_number(at, 2) : -1;

	if (day < 1 || day > days_of(year, month))
		return false;
	*days = days_before(year) + day - 1;
	for (int i = 1; i < month; i++)
		*days += days_of(year, i);
	return true;
}

static bool
take_time(const char **at, int64_t *seconds)
{
	int			hour = take_number(at, 2);
	int			minute = hour >= 0 && hour <= 23 && take(at, ':') ? take_number(at, 2) : -1;
	int			second = minute >= 0 && minute <= 59 && take(at, ':') ? take_number(at, 2) : -1;

	/* a leap second is the first of the next minute */
	if (second < 0 || second > 60)
		return false;
	if (take(at, '.'))
	{
		if (!is_digit(**at))
			return false;
		while (is_digit(**at))
			++* at;
	}
	*seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* How far the zone is ahead of UTC. */
static bool
take_zone(const char **at, int64_t *ahead)
{
	int			sign = **at == '-' ? -1 : 1;
	int			hours;
	int			minutes;

	*ahead = 0;
	if (take(at, 'Z'))
		return true;
	if (!take(at, '+') && !take(at, '-'))
		return false;
	hours = take_number(at, 2);
	take(at, ':');
	minutes = hours >= 0 && hours <= 23 ? take_number(at, 2) : -1;
	*ahead = sign * (hours * 3600 + minutes * 60);
	return minutes >= 0 && minutes <= 59;
}

bool
iotdata_iso8601_parse(const char *text, int64_t *seconds)
{
	const char *at = text;
	int64_t		days;
	int64_t		time;
	int64_t		ahead;

	if (!take_date(&at, &days) || !take(&at, 'T') || !take_time(&at, &time) ||
		!take_zone(&at, &ahead) || *at != '\0')
		return false;
	*seconds = days * 86400 + time - ahead;
	return true;
}
