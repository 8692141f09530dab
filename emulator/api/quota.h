/*
 * quota.h
 *	  The service's quotas: how many requests a second are taken, of one kind
 *	  and for one client ID.
 */
#ifndef EMULATOR_QUOTA_H
#define EMULATOR_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"

/* The greatest rate there can be. */
#define QUOTA_MAX_RATE 1000000

/* Of so many clients at most a bucket is kept, and of none with a longer ID. */
#define QUOTA_MAX_CLIENTS 65536
#define QUOTA_MAX_CLIENT_ID 128

/* Requests a second; 0: no limit. */
typedef struct QuotaRates
{
	int64_t		read;
	int64_t		client_read;	/* for one client ID */
	int64_t		send;
} QuotaRates;

/* Which of them count for an operation. */
typedef enum QuotaKind
{
	QUOTA_NONE,
	QUOTA_READ,
	QUOTA_SEND
} QuotaKind;

typedef struct QuotaBucket
{
	int64_t		level;			/* thousandths of a request */
	int64_t		time;			/* when it was that, in milliseconds */
} QuotaBucket;

typedef struct Quota
{
	QuotaRates	rates;
	QuotaBucket read;
	QuotaBucket send;
	Table		clients;		/* those whose bucket may not be full */
	struct QuotaClient *first;	/* of a queue of them */
	struct QuotaClient *last;
} Quota;

/*
 * Times are milliseconds of any clock that does not go back.  All buckets are
 * full at first.
 */
extern void quota_init(Quota *quota, const QuotaRates *rates, int64_t now);

/*
 * Whether a request is within its quotas, which it then uses; one that is not
 * uses none.  client_id is copied.
 */
extern bool quota_take(Quota *quota, QuotaKind kind, const char *client_id, int64_t now);

extern void quota_free(Quota *quota);

#endif							/* EMULATOR_QUOTA_H */
