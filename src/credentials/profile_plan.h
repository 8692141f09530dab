/*
 * profile_plan.h
 *		How a profile's credentials are to be got, before anything is.
 */
#ifndef IOTDATA_CREDENTIALS_PROFILE_PLAN_H
#define IOTDATA_CREDENTIALS_PROFILE_PLAN_H

#include "credentials/profile_files.h"
#include "credentials/provider.h"
#include "credentials/sts.h"

/* How many roles may be assumed one with another. */
#define IOTDATA_PROFILE_MAX_ROLES 16

typedef enum IotDataProfileBase
{
	IOTDATA_PROFILE_KEYS,
	IOTDATA_PROFILE_WEB_IDENTITY,
	IOTDATA_PROFILE_PROCESS,
	IOTDATA_PROFILE_SOURCE		/* credential_source */
} IotDataProfileBase;

/*
 * What the credentials come from, and the roles that are assumed with them,
 * the last one first. Strings are in the current memory context, secrets so
 * that they are cleared with it.
 */
typedef struct IotDataProfilePlan
{
	IotDataProfileBase base;
	const char *place;			/* of the base: profile and file */
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;
	const char *token_file;
	IotDataStsRole web_identity_role;
	const char *process;
	const char *source;

	int			nroles;
	IotDataStsRole roles[IOTDATA_PROFILE_MAX_ROLES];
	const char *role_places[IOTDATA_PROFILE_MAX_ROLES];
} IotDataProfilePlan;

/*
 * Plan for a profile, by the rules of AWS's CLI; "name" NULL: the
 * environment's. NONE, with why, when it is not there and need not be, or has
 * nothing about credentials. FAILED when files or profile are wrong (28000).
 */
extern IotDataCredentialsResult iotdata_profile_plan(const char *name,
													 IotDataProfilePlan *plan,
													 IotDataFailure *failure);

#endif							/* IOTDATA_CREDENTIALS_PROFILE_PLAN_H */
