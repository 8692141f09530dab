/*
 * sigv4.h
 *		AWS Signature Version 4, stage by stage, over OpenSSL.
 *
 * Each stage is a function of its own, so that each is tested against known
 * values. The time is an argument everywhere: nothing here reads a clock.
 * Functions that return bool return false only when OpenSSL fails (out of
 * memory, or a crypto provider without SHA-256), an output does not fit, an
 * input has overflowed or is not valid, or a request has more query pairs or
 * headers than the limits below.
 */
#ifndef IOTDATA_AWS_SIGV4_H
#define IOTDATA_AWS_SIGV4_H

#include <stdint.h>
#include <time.h>

#include "aws/buffer.h"

#define IOTDATA_TIMESTAMP_SIZE 17	/* "20260601T120000Z" and its NUL */
#define IOTDATA_SIGNATURE_SIZE 65	/* 64 hex digits and a NUL */

/* most query pairs and headers that one request can have */
#define IOTDATA_SIGV4_MAX_QUERY 16
#define IOTDATA_SIGV4_MAX_HEADERS 16

typedef struct IotDataHeader
{
	const char *name;			/* lower case */
	const char *value;			/* no CR, no LF */
} IotDataHeader;

/* A request, as much of it as is signed. Everything belongs to the caller. */
typedef struct IotDataSigv4Request
{
	const char *method;			/* "GET" */
	const char *path;			/* as sent, that is, encoded once */
	const char *query;			/* as sent, without '?'; "" when there is none */
	/* those to be signed, in any order, each name once */
	const IotDataHeader *headers;
	int			nheaders;
	const void *body;			/* may be NULL when body_length is 0 */
	size_t		body_length;
} IotDataSigv4Request;

/* What a signature is valid for. */
typedef struct IotDataSigv4Scope
{
	const char *timestamp;		/* "20260601T120000Z" */
	const char *region;			/* "eu-west-1" */
	const char *service;		/* "iotdata" */
} IotDataSigv4Scope;

/*
 * A signing key, kept for as long as day, region, service and secret stay the
 * same. Begin with all bytes zero.
 */
typedef struct IotDataSigningKey
{
	uint8_t		fingerprint[32];	/* SHA-256 over all that it was made from */
	uint8_t		key[32];
	bool		valid;
} IotDataSigningKey;

/* Write "when" (seconds of Unix time, UTC) as "20260601T120000Z". */
extern void iotdata_sigv4_timestamp(char timestamp[IOTDATA_TIMESTAMP_SIZE],
									time_t when);

/*
 * The canonical request: the path encoded once more, the query's pairs sorted
 * by key and then by value (one without '=' gets it), the headers sorted by
 * name with their values trimmed and inner runs of blanks folded, the hash of
 * the body.
 */
extern bool iotdata_sigv4_canonical_request(IotDataBuffer *out,
											const IotDataSigv4Request *request);

extern bool iotdata_sigv4_string_to_sign(IotDataBuffer *out,
										 const IotDataSigv4Scope *scope,
										 const IotDataBuffer *canonical_request);

/*
 * Make "kept" the key for this scope and secret: no work when it is that
 * already.
 */
extern bool iotdata_sigv4_signing_key(IotDataSigningKey *kept,
									  const IotDataSigv4Scope *scope,
									  const char *secret_access_key);

extern bool iotdata_sigv4_signature(char signature[IOTDATA_SIGNATURE_SIZE],
									const IotDataSigningKey *key,
									const IotDataBuffer *string_to_sign);

/* The value of the Authorization header. */
extern bool iotdata_sigv4_authorization(IotDataBuffer *out,
										const IotDataSigv4Request *request,
										const IotDataSigv4Scope *scope,
										const char *access_key_id,
										const char *signature);

#endif							/* IOTDATA_AWS_SIGV4_H */
