/*
 * aws_settings.c
 *		Region and endpoint of the default target: our settings, then what AWS's
 *		clients look at, in their order.
 */
#include "postgres.h"

#include "credentials/profile_files.h"
#include "credentials/provider.h"
#include "error/sanitize.h"
#include "settings/settings.h"
#include "target/aws_settings.h"

/* The profile that is in use, as it is now. */
typedef struct Profile
{
	bool		found;
	const char *name;			/* sanitized */
	IotDataProfileFiles files;
	IotDataProfile profile;
} Profile;

static bool
find_profile(Profile *profile, IotDataFailure *failure)
{
	const char *variable;
	const char *name = iotdata_profile[0] != '\0' ? iotdata_profile : NULL;

	if (!iotdata_profile_files_find(name, &profile->files, &profile->profile,
									&profile->found, failure))
		return false;
	if (name == NULL)
		name = iotdata_profile_of_environment(&variable);
	profile->name = iotdata_sanitize(name, strlen(name));
	return true;
}

/* ---- one place ---- */

static bool
find_in_setting(IotDataFound *found, const char *value, const char *name)
{
	if (value[0] == '\0')
		return false;
	*found = (IotDataFound) {value, name};
	return true;
}

static bool
find_in_variable(IotDataFound *found, const char *name)
{
	const char *value = iotdata_credentials_variable(name);

	if (value == NULL)
		return false;
	*found = (IotDataFound) {value, name};
	return true;
}

static bool
find_in_profile(IotDataFound *found, const Profile *profile, const char *name)
{
	bool		credentials;
	const char *value = profile->found ?
		iotdata_profile_get(&profile->profile, name, &credentials) : NULL;

	if (value == NULL || value[0] == '\0')
		return false;
	found->value = pstrdup(value);
	found->origin = psprintf("%s of profile \"%s\" in \"%s\"", name, profile->name,
							 credentials ? profile->files.credentials_path :
							 profile->files.config_path);
	return true;
}

/* The profile's [services] section; false, too, when its name is nobody's. */
static bool
find_in_services(IotDataFound *found, const Profile *profile,
				 const char **missing)
{
	const char *value = NULL;

	*missing = NULL;
	if (profile->found)
		value = iotdata_profile_get_service(&profile->profile, "iot_data_plane",
											"endpoint_url", missing);
	if (value == NULL || value[0] == '\0')
		return false;
	found->value = pstrdup(value);
	found->origin = psprintf("endpoint_url of the services of profile \"%s\" in \"%s\"",
							 profile->name, profile->files.config_path);
	return true;
}

/* ---- true or false ---- */

static bool
fail_value(IotDataFailure *failure, const IotDataFound *found)
{
	*failure = (IotDataFailure)
	{
		.sqlstate = ERRCODE_INVALID_PARAMETER_VALUE,
			.message = psprintf("the value of %s is not valid", found->origin),
			.detail = psprintf("It is \"%s\", and must be true or false.",
							   iotdata_sanitize(found->value, strlen(found->value)))
	};
	return false;
}

/* Of a variable, else of the profile. "*origin" is NULL when neither says it. */
static bool
find_flag(bool *flag, const char **origin, const char *variable,
		  const Profile *profile, const char *property, IotDataFailure *failure)
{
	IotDataFound found = {NULL, NULL};

	if (!find_in_variable(&found, variable) &&
		!find_in_profile(&found, profile, property))
		return true;
	*flag = pg_strcasecmp(found.value, "true") == 0;
	if (!*flag && pg_strcasecmp(found.value, "false") != 0)
		return fail_value(failure, &found);
	*origin = found.origin;
	return true;
}

/* ---- the settings ---- */

void
iotdata_aws_settings_region(IotDataFound *region)
{
	*region = (IotDataFound) {NULL, NULL};
	if (!find_in_setting(region, iotdata_region, "iotdata.region") &&
		!find_in_variable(region, "AWS_REGION"))
		find_in_variable(region, "AWS_DEFAULT_REGION");
}

static bool
fail_services(IotDataFailure *failure, const Profile *profile,
			  const char *missing)
{
	*failure = (IotDataFailure)
	{
		.sqlstate = ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
			.message = psprintf("there is no section [services %s]",
								iotdata_sanitize(missing, strlen(missing))),
			.detail = psprintf("Profile \"%s\" in \"%s\" names it.", profile->name,
							   profile->files.config_path)
	};
	return false;
}

static bool
find_endpoint_url(IotDataFound *found, const Profile *profile,
				  IotDataFailure *failure)
{
	bool		ignore = false;
	const char *origin;
	const char *missing;

	if (find_in_setting(found, iotdata_endpoint_url, "iotdata.endpoint_url"))
		return true;
	if (!find_flag(&ignore, &origin, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", profile,
				   "ignore_configured_endpoint_urls", failure))
		return false;
	if (ignore || find_in_variable(found, "AWS_ENDPOINT_URL_IOT_DATA_PLANE") ||
		find_in_variable(found, "AWS_ENDPOINT_URL") ||
		find_in_services(found, profile, &missing))
		return true;
	if (missing != NULL)
		return fail_services(failure, profile, missing);
	find_in_profile(found, profile, "endpoint_url");
	return true;
}

bool
iotdata_aws_settings_find(IotDataAwsSettings *found, IotDataFailure *failure)
{
	Profile		profile;

	memset(found, 0, sizeof(*found));
	if (!find_profile(&profile, failure))
		return false;
	iotdata_aws_settings_region(&found->region);
	if (found->region.value == NULL)
		find_in_profile(&found->region, &profile, "region");
	if (!find_endpoint_url(&found->endpoint_url, &profile, failure))
		return false;
	if (iotdata_use_fips_endpoint)
	{
		found->use_fips_endpoint = true;
		found->fips_origin = "iotdata.use_fips_endpoint";
	}
	else if (!find_flag(&found->use_fips_endpoint, &found->fips_origin,
						"AWS_USE_FIPS_ENDPOINT", &profile, "use_fips_endpoint", failure))
		return false;
	if (iotdata_use_dualstack_endpoint)
	{
		found->use_dualstack_endpoint = true;
		found->dualstack_origin = "iotdata.use_dualstack_endpoint";
		return true;
	}
	return find_flag(&found->use_dualstack_endpoint, &found->dualstack_origin,
					 "AWS_USE_DUALSTACK_ENDPOINT", &profile, "use_dualstack_endpoint", failure);
}
