/*
 * default.h
 *		The default target, out of the settings and AWS's usual variables.
 */
#ifndef IOTDATA_TARGET_DEFAULT_H
#define IOTDATA_TARGET_DEFAULT_H

#include "postgres.h"

#include "error/failure.h"
#include "target/target.h"

/*
 * Fill in a target's region. Returns false with "failure" filled (22023) when
 * there is none (NULL), or it is not valid.
 */
extern bool iotdata_target_set_region(IotDataTarget *target, const char *region,
									  const char *source, IotDataFailure *failure);

/*
 * Fill in the endpoint by rule from the target's region, with the flags that
 * its credentials' source has. Returns false with "failure" filled (22023) when
 * there is none.
 */
extern bool iotdata_target_set_endpoint_by_rule(IotDataTarget *target,
												IotDataFailure *failure);

/* The same, from a URL that "source" names. */
extern bool iotdata_target_set_endpoint(IotDataTarget *target, const char *url,
										const char *source, IotDataFailure *failure);

/*
 * Fill in the target that the settings, the server's environment and the AWS
 * profile describe; its strings are theirs, or in the current memory context.
 * Returns false with "failure" filled: 22023 when they describe none, and what
 * iotdata_aws_settings_find fails with.
 */
extern bool iotdata_target_default(IotDataTarget *target, IotDataFailure *failure);

#endif							/* IOTDATA_TARGET_DEFAULT_H */
