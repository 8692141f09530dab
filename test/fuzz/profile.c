/*
 * profile.c
 *		AWS's config and credentials files: whatever they say, each entry is in
 *		the text, is found by its name, and no other is.
 */
#include "aws/profile_tree.h"
#include "fuzz.h"

static bool
is_within(const char *string, const char *text, size_t length)
{
	return string >= text && string + strlen(string) <= text + length;
}

/* What is looked up is what is there. */
static void
check_entry(const IotDataProfileFile *file, uint32_t i)
{
	const IotDataProfileEntry *entry = &file->entries[i];
	const IotDataProfileEntry *owner = &file->entries[entry->owner];

	switch (entry->event)
	{
		case IOTDATA_PROFILE_SECTION:
			CHECK(entry->owner == 0);
			CHECK(iotdata_profile_file_section(file, entry->section, entry->name) >= entry);
			break;
		case IOTDATA_PROFILE_PROPERTY:
			CHECK(owner->event == IOTDATA_PROFILE_SECTION && owner < entry);
			CHECK(iotdata_profile_file_property(file, owner, entry->name) == entry);
			break;
		case IOTDATA_PROFILE_NESTED:
			CHECK(owner->event == IOTDATA_PROFILE_PROPERTY && owner < entry);
			CHECK(*owner->value == '\0');
			CHECK(iotdata_profile_file_nested(file, owner, entry->name) >= entry);
			break;
		default:
			CHECK(false);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int credentials = 0; credentials < 2; credentials++)
	{
		char	   *text = fuzz_text(data, size);
		size_t		capacity = iotdata_profile_file_capacity(text, size);
		IotDataProfileEntry *entries = calloc(capacity, sizeof(*entries));
		IotDataProfileFile file;
		IotDataProfile profile;
		IotDataProfileError error;
		const char *missing;
		int			line = 0;

		CHECK(entries != NULL);
		if (iotdata_profile_file_read(&file, credentials == 1, text, size, entries, capacity, &error, &line))
		{
			CHECK(file.count < capacity);
			for (uint32_t i = 1; i <= file.count; i++)
			{
				CHECK(is_within(entries[i].name, text, size));
				CHECK(entries[i].value == NULL || is_within(entries[i].value, text, size));
				CHECK(entries[i].line > 0 && (size_t) entries[i].line <= capacity);
				check_entry(&file, i);
			}
			if (iotdata_profile_find(&profile, &file, NULL, "default"))
				(void) iotdata_profile_get_service(&profile, "iot_data_plane", "endpoint_url", &missing);
		}
		else
		{
			CHECK(error != IOTDATA_PROFILE_NO_ERROR && error != IOTDATA_PROFILE_TOO_LONG);
			CHECK(line > 0 && (size_t) line <= capacity);
		}
		free(entries);
		free(text);
	}
	return 0;
}
