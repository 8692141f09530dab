/*
 * profile_test.c
 *		AWS's config and credentials files, line by line and profile by profile.
 */
#include "unit.h"

#include "aws/profile_tree.h"

/* A file that was read; its storage is as large as it need be. */
typedef struct Read
{
	char	   *text;
	IotDataProfileEntry *entries;
	IotDataProfileFile file;
	IotDataProfileError error;
	int			line;
	bool		good;
} Read;

static Read
read_file(const char *text, bool credentials)
{
	size_t		length = strlen(text);
	size_t		capacity = iotdata_profile_file_capacity(text, length);
	Read		result = {.text = exact_copy(text, length + 1)};

	result.entries = calloc(capacity, sizeof(*result.entries));
	assert_non_null(result.entries);
	result.good = iotdata_profile_file_read(&result.file, credentials, result.text, length,
											result.entries, capacity, &result.error, &result.line);
	return result;
}

static void
drop(Read *file)
{
	free(file->text);
	free(file->entries);
}

/* What a profile of a config file has. */
static void
has(const char *text, const char *name, const char *property, const char *expected)
{
	Read		config = read_file(text, false);
	IotDataProfile profile;

	assert_true(config.good);
	assert_true(iotdata_profile_find(&profile, &config.file, NULL, name));
	if (expected == NULL)
		assert_null(iotdata_profile_get(&profile, property, NULL));
	else
	{
		assert_non_null(iotdata_profile_get(&profile, property, NULL));
		assert_string_equal(iotdata_profile_get(&profile, property, NULL), expected);
	}
	drop(&config);
}

static void
has_no_profile(const char *text, const char *name)
{
	Read		config = read_file(text, false);
	IotDataProfile profile;

	assert_true(config.good);
	assert_false(iotdata_profile_find(&profile, &config.file, NULL, name));
	drop(&config);
}

static void
is_wrong(const char *text, IotDataProfileError error, int line)
{
	Read		config = read_file(text, false);

	assert_false(config.good);
	assert_int_equal(config.error, error);
	assert_int_equal(config.line, line);
	assert_non_null(iotdata_profile_explain(error));
	drop(&config);
}

static void
names_and_values_are_what_is_left_without_blanks(void **state)
{
	(void) state;
	has("[default]\nregion = eu-west-1\n", "default", "region", "eu-west-1");
	has("[default]\nREGION=eu-west-1", "default", "region", "eu-west-1");
	has("[default]\nregion: eu-west-1\n", "default", "region", "eu-west-1");
	has("[default]\r\nregion \t=\t eu-west-1 \r\n", "default", "region", "eu-west-1");
	has("[default]\rregion = eu-west-1\r", "default", "region", "eu-west-1");
	has("\xef\xbb\xbf[default]\nregion = eu-west-1\n", "default", "region", "eu-west-1");
	has("[default]\nregion = eu-west-1\xc2\xa0\n", "default", "region", "eu-west-1");
	has("[default]\n  region = eu-west-1\n", "default", "region", "eu-west-1");
	has("[default] behind it\nregion = eu-west-1\n", "default", "region", "eu-west-1");
	has("[default]\naws_secret_access_key = a=b:c\n", "default", "aws_secret_access_key", "a=b:c");
	has("[default]\nregion =\n", "default", "region", "");
	has("[default]\nregion = a\n", "default", "output", NULL);
}

static void
comments_are_lines_of_their_own(void **state)
{
	(void) state;
	has("# one\n; two\n[default]\n  # three\nregion = a\n", "default", "region", "a");
	has("[default]\nregion = a # b\n", "default", "region", "a # b");
	has("[default]\nregion = a;b\n", "default", "region", "a;b");
}

static void
a_value_goes_on_in_lines_that_are_indented_deeper(void **state)
{
	(void) state;
	has("[default]\nk = a\n b\n\n  c\n\n", "default", "k", "a\nb\n\nc");
	has("[default]\nk = a\n# no\n b\nl = c\n", "default", "k", "a\nb");
	has("[default]\nk = a\n b\nl = c\n", "default", "l", "c");
	has("[default]\nk = a\n [x]\n", "default", "k", "a\n[x]");
	has("[default]\n k = a\n l = b\n", "default", "l", "b");
}

static void
what_stands_below_an_empty_property_is_nested(void **state)
{
	Read		config = read_file("[services s]\n"
								   "iot_data_plane =\n  endpoint_url = https://one\n"
								   "  # no\n\n  Endpoint_URL=two\n  endpoint_url = https://last\n"
								   "iot =\n  endpoint_url = https://other\n"
								   "[profile a]\nservices = s\nendpoint_url = https://all\n"
								   "[profile b]\nservices = t\n", false);
	IotDataProfile profile;
	const char *missing;

	(void) state;
	assert_true(config.good);
	assert_true(iotdata_profile_find(&profile, &config.file, NULL, "a"));
	assert_string_equal(iotdata_profile_get_service(&profile, "iot_data_plane", "endpoint_url", &missing),
						"https://last");
	assert_null(missing);
	assert_null(iotdata_profile_get_service(&profile, "s3", "endpoint_url", &missing));
	assert_null(missing);
	assert_string_equal(iotdata_profile_get(&profile, "endpoint_url", NULL), "https://all");
	assert_true(iotdata_profile_find(&profile, &config.file, NULL, "b"));
	assert_null(iotdata_profile_get_service(&profile, "iot_data_plane", "endpoint_url", &missing));
	assert_string_equal(missing, "t");
	drop(&config);
}

static void
names_of_profiles_may_have_quotes(void **state)
{
	(void) state;
	has("[profile \"a b\"]\nk = v\n", "a b", "k", "v");
	has("[profile 'a b']\nk = v\n", "a b", "k", "v");
	has("[profile\ta]\nk = v\n", "a", "k", "v");
	has("[profile  a ]\nk = v\n", "a", "k", "v");
	has_no_profile("[a]\nk = v\n", "a");
	has_no_profile("[ default ]\nk = v\n", "default");
	has_no_profile("[profile a b]\nk = v\n", "a");
	has_no_profile("[profile \"a]\nk = v\n", "a");
	has_no_profile("[sso-session a]\nk = v\n", "a");
}

static void
of_several_sections_for_a_profile_the_last_counts(void **state)
{
	(void) state;
	has("[default]\nk = a\nl = b\n[profile default]\nk = c\n", "default", "k", "c");
	has("[default]\nk = a\nl = b\n[profile default]\nk = c\n", "default", "l", NULL);
	has("[profile default]\nk = c\n[default]\nk = a\n", "default", "k", "a");
	has("[DEFAULT]\nk = d\nl = e\n[profile x]\nk = f\n", "x", "k", "f");
	has("[DEFAULT]\nk = d\nl = e\n[profile x]\nk = f\n", "x", "l", "e");
}

static void
the_credentials_file_wins_property_by_property(void **state)
{
	Read		config = read_file("[profile a]\nregion = r\naws_access_key_id = of config\n", false);
	Read		credentials = read_file("[a]\naws_access_key_id = of credentials\n[profile a]\n", true);
	IotDataProfile profile;
	bool		from_credentials;

	(void) state;
	assert_true(config.good && credentials.good);
	assert_true(iotdata_profile_find(&profile, &config.file, &credentials.file, "a"));
	assert_string_equal(iotdata_profile_get(&profile, "aws_access_key_id", &from_credentials), "of credentials");
	assert_true(from_credentials);
	assert_string_equal(iotdata_profile_get(&profile, "region", &from_credentials), "r");
	assert_false(from_credentials);
	assert_true(iotdata_profile_find(&profile, NULL, &credentials.file, "a"));
	assert_null(iotdata_profile_get(&profile, "region", NULL));
	assert_true(iotdata_profile_find(&profile, NULL, &credentials.file, "profile a"));
	assert_false(iotdata_profile_find(&profile, NULL, NULL, "a"));
	drop(&config);
	drop(&credentials);
}

static void
what_is_wrong_is_told_by_its_line(void **state)
{
	(void) state;
	is_wrong("k = v\n", IOTDATA_PROFILE_NO_SECTION, 1);
	is_wrong("# c\n\n[]\n", IOTDATA_PROFILE_NO_SECTION, 3);
	is_wrong("[a]\nk\n", IOTDATA_PROFILE_NO_PROPERTY, 2);
	is_wrong("[a]\n\n= v\n", IOTDATA_PROFILE_NO_PROPERTY, 3);
	is_wrong("[a]\nk =\n  v\n", IOTDATA_PROFILE_NO_PROPERTY, 3);
	is_wrong("[a]\nk = v\n more\n\n[a]\n", IOTDATA_PROFILE_SECTION_TWICE, 5);
	is_wrong("[a]\nk = v\nK = v\n", IOTDATA_PROFILE_PROPERTY_TWICE, 3);
	is_wrong("[a]\nk = \xff\n", IOTDATA_PROFILE_NOT_TEXT, 2);
	is_wrong("[a]\nk = v\n  \xff\n", IOTDATA_PROFILE_NOT_TEXT, 3);
}

static void
no_more_entries_are_made_than_there_is_room_for(void **state)
{
	char		text[] = "[a]\nk = v\nl = v\n";
	IotDataProfileEntry entries[3];
	IotDataProfileFile file;
	IotDataProfileError error;
	int			line;

	(void) state;
	assert_false(iotdata_profile_file_read(&file, false, text, strlen(text), entries, 3, &error, &line));
	assert_int_equal(error, IOTDATA_PROFILE_TOO_LONG);
	assert_int_equal(line, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values_are_what_is_left_without_blanks),
		cmocka_unit_test(comments_are_lines_of_their_own),
		cmocka_unit_test(a_value_goes_on_in_lines_that_are_indented_deeper),
		cmocka_unit_test(what_stands_below_an_empty_property_is_nested),
		cmocka_unit_test(names_of_profiles_may_have_quotes),
		cmocka_unit_test(of_several_sections_for_a_profile_the_last_counts),
		cmocka_unit_test(the_credentials_file_wins_property_by_property),
		cmocka_unit_test(what_is_wrong_is_told_by_its_line),
		cmocka_unit_test(no_more_entries_are_made_than_there_is_room_for),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
