/*
 * shared.h
 *		Credentials that sessions have from each other.
 *
 * Temporary ones that the database server's own places have given: every
 * session that has the same source would get the like. Those of keys in a user
 * mapping stay with who may use it.
 */
#ifndef IOTDATA_CREDENTIALS_SHARED_H
#define IOTDATA_CREDENTIALS_SHARED_H

#include "postgres.h"

#include "credentials/provider.h"

/*
 * Another session's credentials of a source, got after "after", and when; their
 * strings are in the current memory context. Returns false when there are none.
 */
extern bool iotdata_credentials_take_shared(const IotDataCredentialsSource *source,
											TimestampTz after,
											IotDataCredentialsValues *values,
											TimestampTz *got_at);

/* Let others have these, if they may. */
extern void iotdata_credentials_share(const IotDataCredentialsSource *source,
									  const IotDataCredentialsValues *values,
									  TimestampTz got_at);

/*
 * Is it for this session to renew them before it must, or has another one begun
 * to since then?
 */
extern bool iotdata_credentials_may_renew(const IotDataCredentialsSource *source,
										  TimestampTz now, TimestampTz since);

#endif							/* IOTDATA_CREDENTIALS_SHARED_H */
