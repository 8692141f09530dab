/*
 * topic.c
 *	  Topic names and topic filters: what is valid, and what matches.
 */
#include "broker/topic.h"

#include <string.h>

static bool
has_valid_size(const char *topic)
{
	int			slashes = 0;
	size_t		length = strlen(topic);

	for (const char *at = topic; *at != '\0'; at++)
		if (*at == '/')
			slashes++;
	return length >= 1 && length <= TOPIC_MAX_BYTES && slashes <= TOPIC_MAX_SLASHES;
}

bool
topic_has_wildcard(const char *filter)
{
	return strpbrk(filter, "+#") != NULL;
}

bool
topic_is_name(const char *topic)
{
	return has_valid_size(topic) && !topic_has_wildcard(topic);
}

bool
topic_is_filter(const char *filter)
{
	if (!has_valid_size(filter))
		return false;
	for (const char *at = filter; *at != '\0'; at++)
	{
		bool		starts_level = at == filter || at[-1] == '/';

		if (*at == '#' && (!starts_level || at[1] != '\0'))
			return false;
		if (*at == '+' && (!starts_level || (at[1] != '\0' && at[1] != '/')))
			return false;
	}
	return true;
}

bool
topic_matches(const char *filter, const char *topic)
{
	if (topic[0] == '$' && filter[0] != '$')
		return false;
	for (;;)
	{
		if (*filter == '#')
			return true;
		if (*filter == '+')
		{
			filter++;
			topic += strcspn(topic, "/");
		}
		else
		{
			while (*filter != '\0' && *filter != '/' && *filter == *topic)
			{
				filter++;
				topic++;
			}
		}
		/* Both must now be at the end of a level. */
		if (*topic == '\0')
			return *filter == '\0' || strcmp(filter, "/#") == 0;
		if (*filter != '/' || *topic != '/')
			return false;
		filter++;
		topic++;
	}
}
