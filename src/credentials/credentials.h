/*
 * credentials.h
 *		What requests are signed with: found, kept and renewed.
 */
#ifndef IOTDATA_CREDENTIALS_H
#define IOTDATA_CREDENTIALS_H

#include "postgres.h"

#include "credentials/object.h"
#include "credentials/provider.h"

/*
 * The credentials that a source stands for. FOUND: "*credentials" are held by
 * "holder". Otherwise "failure" is filled (28000), in the current memory
 * context: NONE, there are none; FAILED, they cannot be used. May wait for the
 * network; raises what CHECK_FOR_INTERRUPTS raises, and nothing else.
 *
 * A backend keeps what it has found, and renews it before it expires: while
 * that fails, credentials serve on until ten minutes, or a sixth of their life,
 * before their end. What does not expire and was not in the environment is
 * looked for anew every minute. A failure is told again for a second.
 */
extern IotDataCredentialsResult iotdata_credentials_get(const IotDataCredentialsSource *source,
														MemoryContext holder,
														const IotDataCredentials **credentials,
														IotDataFailure *failure);

/*
 * From now on a role is assumed aside: until STS has answered, which any wait
 * for the network brings on, iotdata_credentials_get fails at once, with SQLSTATE
 * IOTDATA_CREDENTIALS_PENDING, or as it did the last time. For a process that
 * works for many, so that one whose role cannot be assumed does not hold up the
 * others.
 */
extern void iotdata_credentials_assume_aside(void);

#define IOTDATA_CREDENTIALS_PENDING ERRCODE_CANNOT_CONNECT_NOW

/*
 * The service says that these credentials have expired: the source's are
 * renewed when they are asked for next. Returns whether that may help.
 */
extern bool iotdata_credentials_expired(const IotDataCredentialsSource *source,
										const IotDataCredentials *credentials);

#endif							/* IOTDATA_CREDENTIALS_H */
