/*
 * renewal.h
 *		When temporary credentials are renewed.
 *
 * As AWS's clients do it: from 15 minutes before they expire, if it can be, and
 * from 10 minutes before in any case. Credentials that are short-lived are
 * used for at least three quarters of their life.
 */
#ifndef IOTDATA_AWS_RENEWAL_H
#define IOTDATA_AWS_RENEWAL_H

#include <stdint.h>

typedef enum IotDataRenewal
{
	IOTDATA_RENEWAL_NONE,
	IOTDATA_RENEWAL_ADVISABLE,	/* if it fails, they serve on */
	IOTDATA_RENEWAL_NEEDED
} IotDataRenewal;

/* All in seconds: when they were got, when they expire, and the time now. */
extern IotDataRenewal iotdata_renewal(int64_t got_at, int64_t expire_at, int64_t now);

#endif							/* IOTDATA_AWS_RENEWAL_H */
