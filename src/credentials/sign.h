/*
 * sign.h
 *		Signing requests. Each attempt to send one is signed anew.
 */
#ifndef IOTDATA_CREDENTIALS_SIGN_H
#define IOTDATA_CREDENTIALS_SIGN_H

#include "postgres.h"

#include "aws/sigv4.h"
#include "credentials/object.h"

/* headers that a request may have, and those that are added */
#define IOTDATA_SIGN_MAX_HEADERS 4
#define IOTDATA_SIGNED_MAX_HEADERS (IOTDATA_SIGN_MAX_HEADERS + 4)

/* What is signed. */
typedef struct IotDataSignRequest
{
	const char *service;		/* the name that it signs with */
	const char *region;
	const char *authority;		/* what the Host header says */
	const char *method;
	const char *path;			/* encoded */
	const char *query;			/* encoded, "" when there is none */
	const IotDataHeader *headers;
	int			nheaders;
	const void *body;
	size_t		body_length;
} IotDataSignRequest;

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
						 const IotDataSignRequest *request,
						 const IotDataCredentialsValues *keys, time_t when);

#endif							/* IOTDATA_CREDENTIALS_SIGN_H */
