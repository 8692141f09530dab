/*
 * target.h
 *		Where a call goes, and as whom: endpoint, region, credentials.
 */
#ifndef IOTDATA_TARGET_H
#define IOTDATA_TARGET_H

#include "postgres.h"

#include "aws/endpoint.h"
#include "credentials/provider.h"
#include "error/failure.h"

typedef struct IotDataTarget
{
	IotDataEndpoint endpoint;
	char		region[64];		/* one host label */
	IotDataCredentialsSource credentials;
} IotDataTarget;

/*
 * The target that the settings and the server's environment describe. Its
 * strings are in the current memory context.
 * Returns false with "failure" filled (22023) when they describe none.
 */
extern bool iotdata_target_default(IotDataTarget *target,
								   IotDataFailure *failure);

#endif							/* IOTDATA_TARGET_H */
