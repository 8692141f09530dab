/*
 * aws_settings.h
 *		Region and endpoint of the default target: our settings, then what AWS's
 *		clients look at, in their order.
 */
#ifndef IOTDATA_TARGET_AWS_SETTINGS_H
#define IOTDATA_TARGET_AWS_SETTINGS_H

#include "postgres.h"

#include "error/failure.h"

/* A value, and where it was found. NULL, NULL: nowhere. */
typedef struct IotDataFound
{
	const char *value;
	const char *origin;			/* "iotdata.region", "AWS_REGION", 'region of
								 * profile "x" in "/path"' */
} IotDataFound;

/*
 * What is set for the default target. Strings are valid until the settings or
 * the files change.
 */
typedef struct IotDataAwsSettings
{
	IotDataFound region;
	IotDataFound endpoint_url;
	bool		use_fips_endpoint;
	const char *fips_origin;	/* NULL: nobody has said so */
	bool		use_dualstack_endpoint;
	const char *dualstack_origin;
} IotDataAwsSettings;

/*
 * The region of iotdata.region, AWS_REGION or AWS_DEFAULT_REGION: what a server
 * without one has. NULL, NULL: none.
 */
extern void iotdata_aws_settings_region(IotDataFound *region);

/*
 * Find them: the region in iotdata.region, AWS_REGION, AWS_DEFAULT_REGION, the
 * profile; the endpoint in iotdata.endpoint_url,
 * AWS_ENDPOINT_URL_IOT_DATA_PLANE, AWS_ENDPOINT_URL, the profile's [services],
 * the profile, of which AWS_IGNORE_CONFIGURED_ENDPOINT_URLS and its kin in the
 * profile leave but the first; whether it is a FIPS or dual-stack one in the
 * settings, the variables, the profile. Strings are in the current memory
 * context. Returns false with "failure" filled: 28000 for files and profiles
 * that are wrong, 22023 for a value that is neither true nor false.
 */
extern bool iotdata_aws_settings_find(IotDataAwsSettings *found,
									  IotDataFailure *failure);

#endif							/* IOTDATA_TARGET_AWS_SETTINGS_H */
