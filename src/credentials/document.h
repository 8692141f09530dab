/*
 * document.h
 *		Credentials in JSON, as several places give them out.
 */
#ifndef IOTDATA_CREDENTIALS_DOCUMENT_H
#define IOTDATA_CREDENTIALS_DOCUMENT_H

#include "postgres.h"

#include "aws/json.h"
#include "credentials/object.h"

/*
 * Read a JSON object into "values", whose strings are in the current memory
 * context, and cleared with it. "token" is what the session token's member is
 * called. Expiration may be missing. Returns NULL, or what is wrong, as a
 * sentence that shows nothing of it. "*root", which is valid as long, may be
 * asked for more members.
 */
extern const char *iotdata_credentials_document(const char *text, size_t length,
												const char *token,
												IotDataCredentialsValues *values,
												IotDataJsonValue *root);

/*
 * Check values that came from outside: texts that are safe in a header, an
 * expiration, or NULL, that is in the future. Returns NULL, or what is wrong,
 * as a sentence.
 */
extern const char *iotdata_credentials_check(IotDataCredentialsValues *values,
											 const char *expiration);

#endif							/* IOTDATA_CREDENTIALS_DOCUMENT_H */
