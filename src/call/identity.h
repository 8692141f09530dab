/*
 * identity.h
 *		As whom calls are made: whose answers they get, whose quota they use,
 *		and under which account they are counted.
 */
#ifndef IOTDATA_CALL_IDENTITY_H
#define IOTDATA_CALL_IDENTITY_H

#include "postgres.h"

#include "error/failure.h"
#include "shared/cache.h"
#include "target/target.h"

#define IOTDATA_ACCOUNT_SIZE 16

typedef struct IotDataIdentity
{
	/*
	 * Part of the key of each cached answer: a hash over endpoint, region,
	 * and whom the service takes the caller for.
	 */
	uint8		scope[IOTDATA_CACHE_SCOPE_SIZE];

	/*
	 * The account's twelve digits, or else "****" and the last four
	 * characters of the access key.
	 */
	char		account[IOTDATA_ACCOUNT_SIZE];

	/*
	 * Hash of what has a quota: account (or access key) and region. What is
	 * not AWS's own endpoint has one of its own, so that nobody can claim
	 * another's account, and answer for it; and so has a server with rates of
	 * its own, because they are not those that the others keep to.
	 */
	uint64		quota;
} IotDataIdentity;

/*
 * As whom calls to a target are made. Returns false with "failure" filled
 * (28000) when it has no credentials. Raises 53000 when OpenSSL has no memory,
 * and what iotdata_credentials_get raises.
 */
extern bool iotdata_identity_get(IotDataIdentity *identity, const IotDataTarget *target,
								 IotDataFailure *failure);

/*
 * The account of an access key, as above; nothing of a key that is too short
 * for some of it to be shown.
 */
extern void iotdata_identity_account(char account[IOTDATA_ACCOUNT_SIZE],
									 const char *access_key_id);

#endif							/* IOTDATA_CALL_IDENTITY_H */
