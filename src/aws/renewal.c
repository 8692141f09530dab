/*
 * renewal.c
 *		When temporary credentials are renewed.
 */
#include "aws/renewal.h"

#define ADVISABLE (15 * 60)
#define NEEDED (10 * 60)

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

IotDataRenewal
iotdata_renewal(int64_t got_at, int64_t expire_at, int64_t now)
{
	int64_t		life = expire_at - got_at;
	int64_t		left = expire_at - now;

	if (left <= 0 || left <= least(NEEDED, life / 6))
		return IOTDATA_RENEWAL_NEEDED;
	return left <= least(ADVISABLE, life / 4) ? IOTDATA_RENEWAL_ADVISABLE : IOTDATA_RENEWAL_NONE;
}
