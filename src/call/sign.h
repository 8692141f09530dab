/*
 * sign.h
 *		Signing requests. Each attempt to send one is signed anew.
 */
#ifndef IOTDATA_CALL_SIGN_H
#define IOTDATA_CALL_SIGN_H

#include "postgres.h"

#include "credentials/credentials.h"
#include "request/request.h"
#include "target/target.h"

/* host, date, token and authorization, beside those of the request */
#define IOTDATA_SIGNED_MAX_HEADERS (IOTDATA_REQUEST_MAX_HEADERS + 4)

typedef struct IotDataSignedRequest
{
	IotDataHeader headers[IOTDATA_SIGNED_MAX_HEADERS];	/* all that are sent */
	int			nheaders;
	char		timestamp[IOTDATA_TIMESTAMP_SIZE];
	char		signature[IOTDATA_SIGNATURE_SIZE];
} IotDataSignedRequest;

/*
 * Sign a request as of "when" (seconds of Unix time). What "out" points to is
 * allocated in the current memory context or belongs to the arguments. Returns
 * false when OpenSSL cannot (no memory, or no SHA-256).
 */
extern bool iotdata_sign(IotDataSignedRequest *out,
						 const IotDataRequest *request,
						 const IotDataTarget *target,
						 const IotDataCredentials *credentials,
						 time_t when);

#endif							/* IOTDATA_CALL_SIGN_H */
