/*
 * areas.h
 *		What the shared memory consists of.
 */
#ifndef IOTDATA_SHARED_AREAS_H
#define IOTDATA_SHARED_AREAS_H

#include "shared/shared.h"

/* By IotDataSharedArea, for iotdata_shared_init. */
extern const IotDataSharedAreaType iotdata_shared_areas[IOTDATA_SHARED_NAREAS];

#endif							/* IOTDATA_SHARED_AREAS_H */
