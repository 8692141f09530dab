/*
 * signature.h
 *	  Checks the Signature Version 4 of a request as the service would.
 */
#ifndef EMULATOR_SIGNATURE_H
#define EMULATOR_SIGNATURE_H

#include <time.h>

#include "http/signature_stages.h"

/* How far x-amz-date may be from the clock; seconds. */
#define SIGNATURE_MAX_SKEW 900

/* What requests must be signed with. */
typedef struct SignatureKeys
{
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;	/* NULL: none, and none may be sent */
	const char *region;			/* NULL: any */
} SignatureKeys;

/*
 * NULL if the signature is good at that time (Unix), else a message for the
 * caller, which never has a secret or a signature in it; static.
 */
extern const char *signature_check(const SignatureKeys *keys,
								   const SignatureRequest *request, time_t now);

#endif							/* EMULATOR_SIGNATURE_H */
