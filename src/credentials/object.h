/*
 * object.h
 *		Credentials: what requests are signed with, counted and cleared.
 */
#ifndef IOTDATA_CREDENTIALS_OBJECT_H
#define IOTDATA_CREDENTIALS_OBJECT_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* What credentials are made of. */
typedef struct IotDataCredentialsValues
{
	/* printable ASCII without blanks, so that they are safe in a header */
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;	/* NULL when there is none */

	/*
	 * Whom the service takes the caller for, which renewed credentials keep:
	 * nobody else is given what is cached for it. NULL: whoever has these
	 * very keys.
	 */
	const char *identity;

	const char *provider;		/* its name */
	const char *origin;			/* which variables, file and section, or URL;
								 * NULL when the name says it all */
	TimestampTz expire_at;		/* DT_NOEND when they do not expire */
	bool		is_permanent;	/* nothing but a new server could change them */
} IotDataCredentialsValues;

/*
 * Credentials do not change. They belong to the memory contexts that hold them:
 * when the last one is gone, they are cleared and freed.
 */
typedef struct IotDataCredentials
{
	IotDataCredentialsValues values;
	int			references;		/* the business of object.c */
	size_t		size;
} IotDataCredentials;

/*
 * Where one of the strings of "values" is, each of which may be NULL: the access
 * key first.
 */
#define IOTDATA_CREDENTIALS_NSTRINGS 6

extern const char **iotdata_credentials_string(IotDataCredentialsValues *values, int number);

/* Credentials with a copy of "values", held by "holder". */
extern const IotDataCredentials *iotdata_credentials_create(const IotDataCredentialsValues *values,
															MemoryContext holder);

/* Another context that holds them. */
extern void iotdata_credentials_hold(const IotDataCredentials *credentials,
									 MemoryContext holder);

#endif							/* IOTDATA_CREDENTIALS_OBJECT_H */
