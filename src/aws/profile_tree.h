/*
 * profile_tree.h
 *		What AWS's config and credentials files say of one profile.
 *
 * As AWS's CLI has it: the config file's [profile NAME] and [default], merged
 * with the credentials file's [NAME], whose properties win; of several sections
 * for one profile in a config file the last counts alone; properties of a
 * section [DEFAULT] are in each section that does not have them itself.
 */
#ifndef IOTDATA_AWS_PROFILE_TREE_H
#define IOTDATA_AWS_PROFILE_TREE_H

#include <stdint.h>

#include "aws/profile_syntax.h"

/* What a section is about. */
typedef enum IotDataProfileSection
{
	IOTDATA_SECTION_OTHER,
	IOTDATA_SECTION_PROFILE,
	IOTDATA_SECTION_SERVICES,
	IOTDATA_SECTION_SSO_SESSION
} IotDataProfileSection;

typedef struct IotDataProfileEntry
{
	IotDataProfileEvent event;	/* a section, a property, or a nested one */
	IotDataProfileSection section;	/* of a section */
	const char *name;
	const char *value;
	int			line;

	/* the business of profile_tree.c */
	uint32_t	owner;			/* what it stands in */
	uint32_t	bucket;			/* of the hash: the first entry of one */
	uint32_t	next;			/* and the next of the same */
} IotDataProfileEntry;

typedef struct IotDataProfileFile
{
	IotDataProfileEntry *entries;	/* in their order, from 1 */
	uint32_t	capacity;
	uint32_t	count;
	const IotDataProfileEntry *defaults;	/* [DEFAULT], or NULL */
} IotDataProfileFile;

/* How many entries a text needs at most. */
extern size_t iotdata_profile_file_capacity(const char *text, size_t length);

/*
 * Read a file: "text" as for iotdata_profile_reader_init, and room for
 * "capacity" entries, both of which the file needs as long as it is there. In a
 * credentials file a section's name is a profile's; in a config file it may
 * have words and quotes. Returns false with "*error" and "*line" set.
 */
extern bool iotdata_profile_file_read(IotDataProfileFile *file, bool credentials,
									  char *text, size_t length,
									  IotDataProfileEntry *entries,
									  size_t capacity,
									  IotDataProfileError *error, int *line);

/* The section of that name and kind; NULL when there is none. */
extern const IotDataProfileEntry *iotdata_profile_file_section(const IotDataProfileFile *file,
															   IotDataProfileSection section,
															   const char *name);

/* A section's property, by its name in lower case; NULL when there is none. */
extern const IotDataProfileEntry *iotdata_profile_file_property(const IotDataProfileFile *file,
																const IotDataProfileEntry *section,
																const char *name);

/* What is nested in a property; the last of that name, NULL when there is none. */
extern const IotDataProfileEntry *iotdata_profile_file_nested(const IotDataProfileFile *file,
															  const IotDataProfileEntry *property,
															  const char *name);

/* One profile out of two files, either of which may be NULL. */
typedef struct IotDataProfile
{
	const IotDataProfileFile *config;
	const IotDataProfileFile *credentials;
	const IotDataProfileEntry *in_config;	/* its sections, or NULL */
	const IotDataProfileEntry *in_credentials;
} IotDataProfile;

/* Look a profile up. Returns false when neither file has it. */
extern bool iotdata_profile_find(IotDataProfile *profile,
								 const IotDataProfileFile *config,
								 const IotDataProfileFile *credentials,
								 const char *name);

/*
 * A property's value; NULL when it has none, "" when it is empty or has others
 * nested in it. "*credentials", unless NULL: is it from the credentials file?
 */
extern const char *iotdata_profile_get(const IotDataProfile *profile,
									   const char *name, bool *credentials);

/*
 * The value "name" of "service" in the [services] section that the profile
 * names. NULL when there is none; "*missing" is the name of a section that is
 * not there, or NULL.
 */
extern const char *iotdata_profile_get_service(const IotDataProfile *profile,
											   const char *service,
											   const char *name,
											   const char **missing);

#endif							/* IOTDATA_AWS_PROFILE_TREE_H */
