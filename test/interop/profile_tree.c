/*
 * profile_tree.c
 *		Prints what our reader makes of a config and a credentials file, as JSON.
 *
 *		profile_tree config|credentials < FILE
 *
 * {"profile": {NAME: {PROPERTY: VALUE or {NESTED: VALUE}}}, "services": ...,
 * "sso-session": ...}, or {"error": REASON, "line": NUMBER}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "aws/profile_tree.h"

#define LARGEST 1000000

static struct json_object *
property_json(const IotDataProfileFile *file, const IotDataProfileEntry *property)
{
	struct json_object *nested = NULL;

	for (uint32_t i = 1; i <= file->count; i++)
	{
		const IotDataProfileEntry *entry = &file->entries[i];

		if (entry->event != IOTDATA_PROFILE_NESTED ||
			&file->entries[entry->owner] != property)
			continue;
		if (nested == NULL)
			nested = json_object_new_object();
		json_object_object_add(nested, entry->name, json_object_new_string(entry->value));
	}
	return nested != NULL ? nested : json_object_new_string(property->value);
}

/* A section's own properties, and those of [DEFAULT]. */
static struct json_object *
section_json(const IotDataProfileFile *file, const IotDataProfileEntry *section)
{
	struct json_object *object = json_object_new_object();

	for (uint32_t i = 1; i <= file->count; i++)
	{
		const IotDataProfileEntry *entry = &file->entries[i];

		if (entry->event == IOTDATA_PROFILE_PROPERTY &&
			iotdata_profile_file_property(file, section, entry->name) == entry)
			json_object_object_add(object, entry->name, property_json(file, entry));
	}
	return object;
}

static struct json_object *
file_json(const IotDataProfileFile *file)
{
	static const struct
	{
		const char *name;
		IotDataProfileSection section;
	}			kinds[] = {
		{"profile", IOTDATA_SECTION_PROFILE},
		{"services", IOTDATA_SECTION_SERVICES},
		{"sso-session", IOTDATA_SECTION_SSO_SESSION}
	};
	struct json_object *all = json_object_new_object();

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
	{
		struct json_object *sections = json_object_new_object();

		for (uint32_t i = 1; i <= file->count; i++)
		{
			const IotDataProfileEntry *entry = &file->entries[i];

			if (entry->event == IOTDATA_PROFILE_SECTION &&
				iotdata_profile_file_section(file, kinds[kind].section, entry->name) == entry)
				json_object_object_add(sections, entry->name, section_json(file, entry));
		}
		json_object_object_add(all, kinds[kind].name, sections);
	}
	return all;
}

int
main(int argc, char **argv)
{
	char	   *text = malloc(LARGEST + 1);
	size_t		length = text != NULL ? fread(text, 1, LARGEST, stdin) : 0;
	size_t		capacity;
	IotDataProfileEntry *entries;
	IotDataProfileFile file;
	IotDataProfileError error;
	struct json_object *answer;
	int			line;

	if (text == NULL || argc != 2)
		return 2;
	text[length] = '\0';
	capacity = iotdata_profile_file_capacity(text, length);
	entries = calloc(capacity, sizeof(*entries));
	if (entries == NULL)
		return 2;
	if (iotdata_profile_file_read(&file, strcmp(argv[1], "credentials") == 0,
								  text, length, entries, capacity, &error, &line))
		answer = file_json(&file);
	else
	{
		answer = json_object_new_object();
		json_object_object_add(answer, "error", json_object_new_string(iotdata_profile_explain(error)));
		json_object_object_add(answer, "line", json_object_new_int(line));
	}
	puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	json_object_put(answer);
	free(entries);
	free(text);
	return 0;
}
