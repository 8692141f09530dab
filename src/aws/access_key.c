/*
 * access_key.c
 *		What the ID of an access key tells.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "aws/access_key.h"

#define PREFIX_LENGTH 4
#define DIGITS 10				/* of base32, with 50 bits */
#define SPARE_BITS 9			/* of these, after the number */
#define ACCOUNT_BITS 40
#define MAX_ACCOUNT UINT64_C(999999999999)

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool
iotdata_access_key_account(char account[IOTDATA_ACCOUNT_ID_SIZE],
						   const char *access_key_id)
{
	uint64_t	bits = 0;
	uint64_t	number;

	if (strncmp(access_key_id, "AKIA", PREFIX_LENGTH) != 0 &&
		strncmp(access_key_id, "ASIA", PREFIX_LENGTH) != 0)
		return false;
	for (int i = 0; i < DIGITS; i++)
	{
		char		c = access_key_id[PREFIX_LENGTH + i];
		const char *digit = c != '\0' ? strchr(base32, c) : NULL;

		if (digit == NULL)
			return false;
		bits = bits << 5 | (uint64_t) (digit - base32);
	}
	bits >>= SPARE_BITS;
	if (bits >> ACCOUNT_BITS == 0)
		return false;			/* older than that */
	number = bits & ((UINT64_C(1) << ACCOUNT_BITS) - 1);
	if (number > MAX_ACCOUNT)
		return false;
	snprintf(account, IOTDATA_ACCOUNT_ID_SIZE, "%012llu", (unsigned long long) number);
	return true;
}
