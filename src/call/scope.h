/*
 * scope.h
 *		Whose answers a call gets: part of the key of each cached answer.
 */
#ifndef IOTDATA_CALL_SCOPE_H
#define IOTDATA_CALL_SCOPE_H

#include "postgres.h"

#include "shared/cache.h"
#include "target/target.h"

/*
 * A hash over endpoint, region and credentials. Raises 28000 when there are no
 * credentials, 53000 when OpenSSL has no memory. It costs little when it is the
 * same as last time.
 */
extern void iotdata_scope(uint8 scope[IOTDATA_CACHE_SCOPE_SIZE],
						  const IotDataTarget *target);

#endif							/* IOTDATA_CALL_SCOPE_H */
