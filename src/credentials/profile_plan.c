/*
 * profile_plan.c
 *		How a profile's credentials are to be got, before anything is.
 *
 * The order of AWS's CLI: a role with source_profile or credential_source; a
 * web identity; IAM Identity Center; keys of the credentials file; a session of
 * "aws login"; credential_process; keys of the config file. A profile that
 * another one names as its source gives its keys, if it has any, before its
 * role: so a profile may name itself.
 */
#include "postgres.h"

#include <limits.h>

#include "credentials/profile_failed.h"
#include "credentials/profile_plan.h"
#include "credentials/secret.h"

/* A profile that is looked at. */
typedef struct Looked
{
	const char *name;
	const char *shown;			/* sanitized */
	IotDataProfileFiles *files;
	IotDataProfile profile;
} Looked;

static const char *
get(const Looked *at, const char *property)
{
	return iotdata_profile_get(&at->profile, property, NULL);
}

static bool
has(const Looked *at, const char *property)
{
	return get(at, property) != NULL;
}

/* The same, but NULL when it is empty, and a copy. */
static const char *
get_copy(const Looked *at, const char *property)
{
	const char *value = get(at, property);

	return value != NULL && value[0] != '\0' ? pstrdup(value) : NULL;
}

/* 'profile "x" in "/path"': the file that has the property. */
static const char *
place_of(const Looked *at, const char *property)
{
	bool		credentials;

	iotdata_profile_get(&at->profile, property, &credentials);
	return psprintf("profile \"%s\" in \"%s\"", at->shown,
					credentials ? at->files->credentials_path : at->files->config_path);
}

static IotDataCredentialsResult
fail(IotDataFailure *failure, const Looked *at, const char *property,
	 const char *detail, const char *hint)
{
	return iotdata_profile_failed(failure, place_of(at, property), detail, hint);
}

/* ---- what a profile gives by itself ---- */

/* Keys of one of the files; both must be in that one. */
static IotDataCredentialsResult
plan_keys(const Looked *at, IotDataProfilePlan *plan, IotDataFailure *failure)
{
	static const char *const names[] = {"aws_access_key_id", "aws_secret_access_key"};
	const char *values[lengthof(names)];
	const char *token = get(at, "aws_security_token");

	if (token == NULL)
		token = get(at, "aws_session_token");
	for (size_t i = 0; i < lengthof(names); i++)
	{
		values[i] = get(at, names[i]);
		if (values[i] == NULL || values[i][0] == '\0')
			return fail(failure, at, names[0], psprintf("%s is missing.", names[i]), NULL);
	}
	if (!iotdata_credentials_is_header_safe(values[0]) ||
		!iotdata_credentials_is_header_safe(values[1]) ||
		(token != NULL && token[0] != '\0' && !iotdata_credentials_is_header_safe(token)))
		return fail(failure, at, names[0],
					"The keys contain something other than printable ASCII characters.",
					"A comment must be on a line of its own.");
	plan->base = IOTDATA_PROFILE_KEYS;
	plan->place = place_of(at, names[0]);
	plan->access_key_id = iotdata_secret_copy(values[0], strlen(values[0]));
	plan->secret_access_key = iotdata_secret_copy(values[1], strlen(values[1]));
	if (token != NULL && token[0] != '\0')
		plan->session_token = iotdata_secret_copy(token, strlen(token));
	return IOTDATA_CREDENTIALS_FOUND;
}

static IotDataCredentialsResult
plan_web_identity(const Looked *at, IotDataProfilePlan *plan,
				  IotDataFailure *failure)
{
	plan->base = IOTDATA_PROFILE_WEB_IDENTITY;
	plan->place = place_of(at, "web_identity_token_file");
	plan->token_file = get_copy(at, "web_identity_token_file");
	plan->web_identity_role = (IotDataStsRole)
	{
		.role_arn = get_copy(at, "role_arn"),
			.role_session_name = get_copy(at, "role_session_name")
	};
	if (plan->web_identity_role.role_arn == NULL)
		return fail(failure, at, "web_identity_token_file",
					"It has web_identity_token_file, but no role_arn.", NULL);
	return IOTDATA_CREDENTIALS_FOUND;
}

/* What needs a person who logs in. */
static IotDataCredentialsResult
fail_login(IotDataFailure *failure, const Looked *at, const char *property,
		   const char *what)
{
	return fail(failure, at, property,
				psprintf("It has %s: %s, which needs a person who logs in.", property, what),
				psprintf("Use a role, or name another profile, with credential_process = aws configure export-credentials --profile %s.",
						 at->shown));
}

static IotDataCredentialsResult
plan_process(const Looked *at, IotDataProfilePlan *plan)
{
	const char *command = get(at, "credential_process");

	plan->base = IOTDATA_PROFILE_PROCESS;
	plan->place = psprintf("credential_process of %s", place_of(at, "credential_process"));
	plan->process = iotdata_secret_copy(command, strlen(command));
	return IOTDATA_CREDENTIALS_FOUND;
}

/* The profile as one of the files alone has it. */
static Looked
look_in(const Looked *at, bool credentials)
{
	Looked		one = *at;

	if (credentials)
		one.profile.in_config = NULL;
	else
		one.profile.in_credentials = NULL;
	return one;
}

static IotDataCredentialsResult
plan_base(const Looked *at, IotDataProfilePlan *plan, IotDataFailure *failure)
{
	Looked		in_credentials = look_in(at, true);
	Looked		in_config = look_in(at, false);

	if (get_copy(at, "web_identity_token_file") != NULL)
		return plan_web_identity(at, plan, failure);
	if (has(at, "sso_account_id"))
		return fail_login(failure, at, "sso_account_id", "it is for IAM Identity Center");
	if (has(at, "sso_role_name"))
		return fail_login(failure, at, "sso_role_name", "it is for IAM Identity Center");
	if (has(&in_credentials, "aws_access_key_id"))
		return plan_keys(&in_credentials, plan, failure);
	if (has(at, "login_session"))
		return fail_login(failure, at, "login_session", "it is for \"aws login\"");
	if (has(at, "credential_process"))
		return plan_process(at, plan);
	if (has(&in_config, "aws_access_key_id"))
		return plan_keys(&in_config, plan, failure);
	return iotdata_credentials_none(failure,
									psprintf("Profile \"%s\" has neither keys nor role_arn nor credential_process.",
											 at->shown));
}

/* ---- roles ---- */

static bool
has_keys(const Looked *at)
{
	return has(at, "aws_access_key_id") || has(at, "aws_secret_access_key");
}

static bool
has_role(const Looked *at)
{
	return has(at, "role_arn") && !has(at, "web_identity_token_file");
}

/* A number that is none is left out, as AWS's CLI does. */
static int
duration_of(const Looked *at)
{
	const char *value = get(at, "duration_seconds");
	char	   *end;
	long		seconds;

	if (value == NULL)
		return 0;
	seconds = strtol(value, &end, 10);
	return *end == '\0' && seconds > 0 && seconds <= INT_MAX ? (int) seconds : 0;
}

static IotDataCredentialsResult
add_role(const Looked *at, IotDataProfilePlan *plan, IotDataFailure *failure)
{
	IotDataStsRole *role = &plan->roles[plan->nroles];

	if (plan->nroles == IOTDATA_PROFILE_MAX_ROLES)
		return fail(failure, at, "role_arn",
					psprintf("It is the source of %d other roles, which are too many.",
							 plan->nroles), NULL);
	role->role_arn = get_copy(at, "role_arn");
	role->external_id = get_copy(at, "external_id");
	role->role_session_name = get_copy(at, "role_session_name");
	role->duration_seconds = duration_of(at);
	plan->role_places[plan->nroles++] = place_of(at, "role_arn");
	if (role->role_arn == NULL)
		return fail(failure, at, "role_arn", "Its role_arn is empty.", NULL);
	if (has(at, "mfa_serial"))
		return fail(failure, at, "mfa_serial",
					"It has mfa_serial, which needs a person who types in a code.",
					"Use a role without it, or credential_process.");
	if (has(at, "source_profile") && has(at, "credential_source"))
		return fail(failure, at, "role_arn",
					"It has both source_profile and credential_source.", NULL);
	if (!has(at, "source_profile") && !has(at, "credential_source"))
		return fail(failure, at, "role_arn",
					"It has role_arn, but neither source_profile nor credential_source.", NULL);
	return IOTDATA_CREDENTIALS_FOUND;
}

static IotDataCredentialsResult
plan_source(const Looked *at, IotDataProfilePlan *plan, IotDataFailure *failure)
{
	static const char *const known[] = {"Environment", "EcsContainer", "Ec2InstanceMetadata"};

	plan->base = IOTDATA_PROFILE_SOURCE;
	plan->place = psprintf("credential_source of %s", place_of(at, "credential_source"));
	plan->source = get_copy(at, "credential_source");
	for (size_t i = 0; plan->source != NULL && i < lengthof(known); i++)
	{
		if (strcmp(plan->source, known[i]) == 0)
			return IOTDATA_CREDENTIALS_FOUND;
	}
	return fail(failure, at, "credential_source",
				psprintf("There is no credential_source \"%s\".", iotdata_profile_show(get(at, "credential_source"))),
				"The sources are Environment, EcsContainer and Ec2InstanceMetadata.");
}

/*
 * Go on to the profile that is the source. One that was there already is a
 * loop, unless a profile with keys names itself.
 */
static IotDataCredentialsResult
go_to_source(Looked *at, const char *const *visited, int nvisited,
			 IotDataFailure *failure)
{
	const char *name = pstrdup(get(at, "source_profile"));
	Looked		next = *at;

	next.name = name;
	next.shown = iotdata_profile_show(name);
	if (!iotdata_profile_find(&next.profile, at->files->config, at->files->credentials, name))
		return fail(failure, at, "source_profile",
					psprintf("Its source_profile, \"%s\", is not there.", next.shown), NULL);
	for (int i = 0; i < nvisited; i++)
	{
		if (strcmp(visited[i], name) == 0 &&
			!(strcmp(name, at->name) == 0 && has_keys(&next)))
			return fail(failure, at, "source_profile",
						psprintf("Its source_profile, \"%s\", leads back to itself.", next.shown),
						NULL);
	}
	*at = next;
	return IOTDATA_CREDENTIALS_FOUND;
}

/* From the profile that is asked for to the one that has no role. */
static IotDataCredentialsResult
plan_all(Looked *at, IotDataProfilePlan *plan, IotDataFailure *failure)
{
	const char *visited[IOTDATA_PROFILE_MAX_ROLES];
	IotDataCredentialsResult result;

	while (has_role(at) && (plan->nroles == 0 || !has_keys(at)))
	{
		result = add_role(at, plan, failure);
		if (result == IOTDATA_CREDENTIALS_FOUND && has(at, "credential_source"))
			return plan_source(at, plan, failure);
		if (result != IOTDATA_CREDENTIALS_FOUND)
			return result;
		visited[plan->nroles - 1] = at->name;
		result = go_to_source(at, visited, plan->nroles, failure);
		if (result != IOTDATA_CREDENTIALS_FOUND)
			return result;
	}
	result = plan_base(at, plan, failure);
	if (result == IOTDATA_CREDENTIALS_NONE && plan->nroles > 0)
		return iotdata_profile_failed(failure, plan->role_places[plan->nroles - 1],
									  psprintf("Its source_profile, \"%s\", has no credentials.",
											   at->shown), NULL);
	return result;
}

IotDataCredentialsResult
iotdata_profile_plan(const char *name, IotDataProfilePlan *plan,
					 IotDataFailure *failure)
{
	IotDataProfileFiles files;
	const char *variable;
	Looked		at = {
		.name = name != NULL ? name : iotdata_profile_of_environment(&variable),
		.files = &files
	};
	bool		found;

	*plan = (IotDataProfilePlan) {0};
	at.shown = iotdata_profile_show(at.name);
	if (!iotdata_profile_files_find(name, &files, &at.profile, &found, failure))
		return IOTDATA_CREDENTIALS_FAILED;
	if (!found)
		return iotdata_credentials_none(failure,
										psprintf("There is no profile \"%s\" in \"%s\" or \"%s\".",
												 at.shown, files.config_path, files.credentials_path));
	return plan_all(&at, plan, failure);
}
