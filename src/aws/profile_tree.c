/*
 * profile_tree.c
 *		What AWS's config and credentials files say of one profile.
 *
 * A file's entries are an array in the order of its lines, and a hash table of
 * what they stand in and their names, whose buckets are in the same array.
 * Number 0 is nobody, so that a table of zeros is an empty one.
 */
#include "aws/profile_tree.h"

#include <string.h>

#include "aws/command_line.h"

/* FNV-1a */
static uint32_t
hash(uint32_t owner, const char *name)
{
	uint32_t	value = 2166136261U ^ owner;

	for (; *name != '\0'; name++)
		value = (value ^ (unsigned char) *name) * 16777619U;
	return value;
}

static uint32_t
number_of(const IotDataProfileFile *file, const IotDataProfileEntry *entry)
{
	return (uint32_t) (entry - file->entries);
}

/* The newest entry of that name in "owner"; NULL when there is none. */
static const IotDataProfileEntry *
find(const IotDataProfileFile *file, uint32_t owner, const char *name)
{
	const IotDataProfileEntry *entry;

	if (file->capacity == 0)
		return NULL;
	entry = &file->entries[hash(owner, name) % file->capacity];
	for (uint32_t at = entry->bucket; at != 0; at = entry->next)
	{
		entry = &file->entries[at];
		if (entry->owner == owner && strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

static const IotDataProfileEntry *
add(IotDataProfileFile *file, uint32_t owner, IotDataProfileEvent event,
	const IotDataProfileReader *reader)
{
	uint32_t   *bucket = &file->entries[hash(owner, reader->name) % file->capacity].bucket;
	IotDataProfileEntry *entry = &file->entries[++file->count];

	entry->event = event;
	entry->name = reader->name;
	entry->value = reader->value;
	entry->line = reader->line;
	entry->owner = owner;
	entry->next = *bucket;
	*bucket = file->count;
	return entry;
}

size_t
iotdata_profile_file_capacity(const char *text, size_t length)
{
	size_t		lines = 1;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n' || text[i] == '\r';
	return lines + 1;
}

/*
 * What a section of a config file is about: "profile NAME", and so on. What
 * has not two words is of no use.
 */
static void
classify(IotDataProfileEntry *entry, char *name)
{
	static const struct
	{
		const char *prefix;
		IotDataProfileSection section;
	}			kinds[] = {
		{"profile", IOTDATA_SECTION_PROFILE},
		{"sso-session", IOTDATA_SECTION_SSO_SESSION},
		{"services", IOTDATA_SECTION_SERVICES}
	};

	entry->section = IOTDATA_SECTION_OTHER;
	if (strcmp(name, "default") == 0)
		entry->section = IOTDATA_SECTION_PROFILE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		char	   *words[2];
		size_t		count;

		if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		if (iotdata_command_line_split(name, words, 2, &count) == IOTDATA_COMMAND_LINE_OK &&
			count == 2)
		{
			entry->section = kinds[i].section;
			entry->name = words[1];
		}
		return;
	}
}

/* When all is read, names need not be found as they were written any more. */
static void
classify_sections(IotDataProfileFile *file, bool credentials)
{
	for (uint32_t i = 1; i <= file->count; i++)
	{
		IotDataProfileEntry *entry = &file->entries[i];

		if (entry->event != IOTDATA_PROFILE_SECTION)
			continue;
		if (strcmp(entry->name, "DEFAULT") == 0)
		{
			file->defaults = entry;
			entry->section = IOTDATA_SECTION_OTHER;
		}
		else if (credentials)
			entry->section = IOTDATA_SECTION_PROFILE;
		else
			classify(entry, (char *) entry->name);
	}
}

/* Where what follows stands in, or 0: that section or property may not be. */
static uint32_t
add_event(IotDataProfileFile *file, IotDataProfileEvent event,
		  uint32_t section, uint32_t property,
		  const IotDataProfileReader *reader, IotDataProfileError *error)
{
	uint32_t	owner = event == IOTDATA_PROFILE_SECTION ? 0 :
		event == IOTDATA_PROFILE_PROPERTY ? section : property;
	const IotDataProfileEntry *same = find(file, owner, reader->name);

	if (same != NULL && event == IOTDATA_PROFILE_SECTION)
	{
		if (strcmp(reader->name, "DEFAULT") == 0)
			return number_of(file, same);
		*error = IOTDATA_PROFILE_SECTION_TWICE;
	}
	else if (same != NULL && event == IOTDATA_PROFILE_PROPERTY)
		*error = IOTDATA_PROFILE_PROPERTY_TWICE;
	else if (file->count + 1 >= file->capacity)
		*error = IOTDATA_PROFILE_TOO_LONG;
	else
		return number_of(file, add(file, owner, event, reader));
	return 0;
}

bool
iotdata_profile_file_read(IotDataProfileFile *file, bool credentials,
						  char *text, size_t length,
						  IotDataProfileEntry *entries, size_t capacity,
						  IotDataProfileError *error, int *line)
{
	IotDataProfileReader reader;
	IotDataProfileEvent event;
	uint32_t	section = 0;
	uint32_t	property = 0;

	memset(entries, 0, capacity * sizeof(*entries));
	*file = (IotDataProfileFile) {.entries = entries, .capacity = (uint32_t) capacity};
	*error = IOTDATA_PROFILE_NO_ERROR;
	iotdata_profile_reader_init(&reader, text, length);
	while ((event = iotdata_profile_reader_next(&reader)) != IOTDATA_PROFILE_END)
	{
		uint32_t	added = 0;

		if (event == IOTDATA_PROFILE_ERROR)
			*error = reader.error;
		else
			added = add_event(file, event, section, property, &reader, error);
		*line = reader.line;
		if (added == 0)
			return false;
		if (event == IOTDATA_PROFILE_SECTION)
			section = added;
		else if (event == IOTDATA_PROFILE_PROPERTY)
			property = added;
	}
	classify_sections(file, credentials);
	return true;
}

const IotDataProfileEntry *
iotdata_profile_file_section(const IotDataProfileFile *file,
							 IotDataProfileSection section, const char *name)
{
	for (uint32_t i = file->count; i > 0; i--)
	{
		const IotDataProfileEntry *entry = &file->entries[i];

		if (entry->event == IOTDATA_PROFILE_SECTION &&
			entry->section == section && strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

const IotDataProfileEntry *
iotdata_profile_file_property(const IotDataProfileFile *file,
							  const IotDataProfileEntry *section,
							  const char *name)
{
	const IotDataProfileEntry *found = find(file, number_of(file, section), name);

	if (found == NULL && file->defaults != NULL)
		found = find(file, number_of(file, file->defaults), name);
	return found;
}

const IotDataProfileEntry *
iotdata_profile_file_nested(const IotDataProfileFile *file,
							const IotDataProfileEntry *property,
							const char *name)
{
	return find(file, number_of(file, property), name);
}

bool
iotdata_profile_find(IotDataProfile *profile, const IotDataProfileFile *config,
					 const IotDataProfileFile *credentials, const char *name)
{
	*profile = (IotDataProfile) {.config = config, .credentials = credentials};
	if (config != NULL)
		profile->in_config = iotdata_profile_file_section(config, IOTDATA_SECTION_PROFILE, name);
	if (credentials != NULL)
		profile->in_credentials = iotdata_profile_file_section(credentials, IOTDATA_SECTION_PROFILE, name);
	return profile->in_config != NULL || profile->in_credentials != NULL;
}

const char *
iotdata_profile_get(const IotDataProfile *profile, const char *name,
					bool *credentials)
{
	const IotDataProfileEntry *found = NULL;

	if (profile->in_credentials != NULL)
		found = iotdata_profile_file_property(profile->credentials, profile->in_credentials, name);
	if (credentials != NULL)
		*credentials = found != NULL;
	if (found == NULL && profile->in_config != NULL)
		found = iotdata_profile_file_property(profile->config, profile->in_config, name);
	return found != NULL ? found->value : NULL;
}

const char *
iotdata_profile_get_service(const IotDataProfile *profile, const char *service,
							const char *name, const char **missing)
{
	const char *services = iotdata_profile_get(profile, "services", NULL);
	const IotDataProfileEntry *found = NULL;

	*missing = NULL;
	if (services == NULL)
		return NULL;
	if (profile->config != NULL)
		found = iotdata_profile_file_section(profile->config, IOTDATA_SECTION_SERVICES, services);
	if (found == NULL)
	{
		*missing = services;
		return NULL;
	}
	found = iotdata_profile_file_property(profile->config, found, service);
	if (found != NULL)
		found = iotdata_profile_file_nested(profile->config, found, name);
	return found != NULL ? found->value : NULL;
}
