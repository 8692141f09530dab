/*
 * signature_stages.h
 *	  The stages of Signature Version 4: canonical request, string to sign,
 *	  signature.
 */
#ifndef EMULATOR_SIGNATURE_STAGES_H
#define EMULATOR_SIGNATURE_STAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define SIGNATURE_HASH_SIZE 32

typedef struct SignatureHeader
{
	const char *name;			/* in any case */
	const char *value;
} SignatureHeader;

/* A request as it was received. */
typedef struct SignatureRequest
{
	const char *method;
	const char *target;			/* path and query, nothing decoded */
	const SignatureHeader *headers;
	size_t		header_count;
	uint8_t		body_hash[SIGNATURE_HASH_SIZE]; /* SHA-256 */
} SignatureRequest;

/*
 * The stages, each from the one before.  signed_headers is the list of the
 * Authorization header; scope is DATE/REGION/SERVICE/aws4_request.
 */
extern void signature_canonical_request(const SignatureRequest *request,
										const char *signed_headers, Buffer *result);
extern void signature_string_to_sign(const char *timestamp, const char *scope,
									 const Buffer *canonical_request, Buffer *result);
extern void signature_compute(const char *secret_access_key, const char *scope,
							  const Buffer *string_to_sign,
							  uint8_t signature[SIGNATURE_HASH_SIZE]);

/* Frees what the stages have set up, at the end of the program. */
extern void signature_free(void);

extern void signature_append_hex(Buffer *buffer, const uint8_t *bytes, size_t length);

#endif							/* EMULATOR_SIGNATURE_STAGES_H */
