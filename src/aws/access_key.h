/*
 * access_key.h
 *		What the ID of an access key tells.
 */
#ifndef IOTDATA_AWS_ACCESS_KEY_H
#define IOTDATA_AWS_ACCESS_KEY_H

#include <stdbool.h>

#define IOTDATA_ACCOUNT_ID_SIZE 13	/* twelve digits */

/*
 * The account that an access key belongs to, as twelve digits. Keys of the
 * kinds AKIA and ASIA that were made since 2019 carry it: after the four
 * letters there is base32 (A to Z, 2 to 7), of which bits 1 to 40 are the
 * account's number, and bit 0, the highest, is set. (AWS's GetAccessKeyInfo
 * says the same, for a request.) Returns false for any other string.
 */
extern bool iotdata_access_key_account(char account[IOTDATA_ACCOUNT_ID_SIZE],
									   const char *access_key_id);

#endif							/* IOTDATA_AWS_ACCESS_KEY_H */
