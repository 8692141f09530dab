/*
 * target.h
 *		Where a call goes: endpoint and region.
 */
#ifndef IOTDATA_TARGET_H
#define IOTDATA_TARGET_H

#include "postgres.h"

#include "aws/endpoint.h"
#include "error/failure.h"

typedef struct IotDataTarget
{
	IotDataEndpoint endpoint;
	char		region[64];		/* one host label */
} IotDataTarget;

/*
 * The target that the settings and the server's environment describe.
 * Returns false with "failure" filled (22023) when they describe none.
 */
extern bool iotdata_target_default(IotDataTarget *target,
								   IotDataFailure *failure);

#endif							/* IOTDATA_TARGET_H */
