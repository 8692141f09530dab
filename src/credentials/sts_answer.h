/*
 * sts_answer.h
 *		STS's answers, in XML.
 */
#ifndef IOTDATA_CREDENTIALS_STS_ANSWER_H
#define IOTDATA_CREDENTIALS_STS_ANSWER_H

#include "postgres.h"

/*
 * What is of interest. Strings are in the current memory context, and cleared
 * with it; NULL: not there.
 */
typedef struct IotDataStsAnswer
{
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;
	const char *expiration;
	const char *assumed_role_arn;
	const char *error_code;
	const char *error_message;
} IotDataStsAnswer;

/*
 * Read an answer, of whichever kind. Returns NULL, or what is wrong, as a
 * sentence. Entities and what lies elsewhere are not looked at.
 */
extern const char *iotdata_sts_answer_read(const char *text, size_t length,
										   IotDataStsAnswer *answer);

#endif							/* IOTDATA_CREDENTIALS_STS_ANSWER_H */
