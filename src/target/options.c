/*
 * options.c
 *		The options of servers and user mappings: their names and values.
 *
 * What names a file of the server's, or gives the use of the server's own
 * credentials, is for superusers. As all options of an object are checked
 * whenever one of them changes, an object that has such an option can be
 * changed by superusers only.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "aws/endpoint.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "credentials/provider.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "target/options.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define MAX_RATE 1000000

/* What a value must be. */
typedef enum IotDataOptionKind
{
	IOTDATA_OPTION_REGION,
	IOTDATA_OPTION_URL,
	IOTDATA_OPTION_BOOLEAN,
	IOTDATA_OPTION_RATE,
	IOTDATA_OPTION_TEXT,
	IOTDATA_OPTION_HEADER,		/* goes into a header, and is a secret or
								 * close to one */
	IOTDATA_OPTION_ROLE,
	IOTDATA_OPTION_ROLE_WORD
} IotDataOptionKind;

typedef struct IotDataOption
{
	const char *name;
	Oid			catalog;
	IotDataOptionKind kind;
	bool		is_for_superusers;
} IotDataOption;

static const IotDataOption all[] = {
	{"region", ForeignServerRelationId, IOTDATA_OPTION_REGION, false},
	{"endpoint_url", ForeignServerRelationId, IOTDATA_OPTION_URL, false},
	{"use_fips_endpoint", ForeignServerRelationId, IOTDATA_OPTION_BOOLEAN, false},
	{"use_dualstack_endpoint", ForeignServerRelationId, IOTDATA_OPTION_BOOLEAN, false},
	{"ca_file", ForeignServerRelationId, IOTDATA_OPTION_TEXT, true},
	{"read_rate", ForeignServerRelationId, IOTDATA_OPTION_RATE, false},
	{"send_rate", ForeignServerRelationId, IOTDATA_OPTION_RATE, false},
	{"access_key_id", UserMappingRelationId, IOTDATA_OPTION_HEADER, false},
	{"secret_access_key", UserMappingRelationId, IOTDATA_OPTION_HEADER, false},
	{"session_token", UserMappingRelationId, IOTDATA_OPTION_HEADER, false},
	{"role_arn", UserMappingRelationId, IOTDATA_OPTION_ROLE, false},
	{"external_id", UserMappingRelationId, IOTDATA_OPTION_ROLE_WORD, false},
	{"role_session_name", UserMappingRelationId, IOTDATA_OPTION_ROLE_WORD, false},
	{"profile", UserMappingRelationId, IOTDATA_OPTION_TEXT, true},
	{"use_default_credentials", UserMappingRelationId, IOTDATA_OPTION_BOOLEAN, true}
};

/* ---- values ---- */

const char *
iotdata_options_get(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
			return option->arg != NULL ? strVal(option->arg) : "";
	}
	return NULL;
}

bool
iotdata_options_get_boolean(List *options, const char *name, bool otherwise)
{
	const char *value = iotdata_options_get(options, name);
	bool		result = otherwise;

	if (value != NULL && !parse_bool(value, &result))
		return otherwise;
	return result;
}

/* A number of digits only, up to MAX_RATE; -1 for anything else. */
static int
parse_rate(const char *value)
{
	size_t		length = strspn(value, "0123456789");
	long		rate;

	if (length == 0 || length > 7 || value[length] != '\0')
		return -1;
	rate = strtol(value, NULL, 10);
	return rate <= MAX_RATE ? (int) rate : -1;
}

int
iotdata_options_get_number(List *options, const char *name)
{
	const char *value = iotdata_options_get(options, name);

	return value != NULL ? parse_rate(value) : -1;
}

static bool
is_printable(const char *value, size_t min, size_t max)
{
	size_t		length = strlen(value);

	return length >= min && length <= max && iotdata_credentials_is_header_safe(value);
}

/* What is wrong with a value, as a sentence; NULL when it is valid. */
static const char *
explain(const IotDataOption *option, const char *value)
{
	IotDataEndpoint endpoint;
	bool		boolean;

	switch (option->kind)
	{
		case IOTDATA_OPTION_REGION:
			return iotdata_region_is_valid(value) ? NULL :
				iotdata_endpoint_explain(IOTDATA_ENDPOINT_BAD_REGION);
		case IOTDATA_OPTION_URL:
			return iotdata_endpoint_explain(iotdata_endpoint_parse(&endpoint, value));
		case IOTDATA_OPTION_BOOLEAN:
			return parse_bool(value, &boolean) ? NULL : "It must be a Boolean value, on or off.";
		case IOTDATA_OPTION_RATE:
			return parse_rate(value) >= 0 ? NULL :
				psprintf("It must be a whole number from 0 to %d.", MAX_RATE);
		case IOTDATA_OPTION_TEXT:
			return value[0] != '\0' ? NULL : "It must not be empty.";
		case IOTDATA_OPTION_HEADER:
			return iotdata_credentials_is_header_safe(value) ? NULL :
				"It must be printable ASCII characters without blanks.";
		case IOTDATA_OPTION_ROLE:
			return strncmp(value, "arn:", 4) == 0 && is_printable(value, 20, 2048) ? NULL :
				"It must be the ARN of a role, as in arn:aws:iam::123456789012:role/name.";
		case IOTDATA_OPTION_ROLE_WORD:
			return is_printable(value, 2, 1224) ? NULL :
				"It must be 2 to 1224 printable ASCII characters without blanks.";
	}
	return NULL;
}

/* ---- one option ---- */

static const IotDataOption *
find(const char *name, Oid catalog)
{
	for (size_t i = 0; i < lengthof(all); i++)
	{
		if (all[i].catalog == catalog && strcmp(all[i].name, name) == 0)
			return &all[i];
	}
	return NULL;
}

static bool
fail_name(const char *name, Oid catalog, IotDataFailure *failure)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (size_t i = 0; i < lengthof(all); i++)
	{
		if (all[i].catalog == catalog)
			appendStringInfo(&valid, "%s%s", valid.len > 0 ? ", " : "", all[i].name);
	}
	return iotdata_fail(failure, ERRCODE_FDW_INVALID_OPTION_NAME,
						psprintf("invalid option \"%s\"", name), NULL,
						valid.len > 0 ? psprintf("Valid options in this context are: %s.", valid.data) :
						"There are no valid options in this context.");
}

static bool
check_one(const DefElem *given, Oid catalog, IotDataFailure *failure)
{
	const IotDataOption *option = find(given->defname, catalog);
	const char *value = given->arg != NULL ? strVal(given->arg) : "";
	const char *why;
	bool		on = true;

	if (option == NULL)
		return fail_name(given->defname, catalog, failure);
	why = explain(option, value);
	if (why != NULL)
		return iotdata_fail(failure, ERRCODE_INVALID_PARAMETER_VALUE,
							option->kind == IOTDATA_OPTION_HEADER ?
							psprintf("invalid value for option \"%s\"", option->name) :
							psprintf("invalid value for option \"%s\": \"%s\"", option->name, value),
							why, NULL);
	if (option->kind == IOTDATA_OPTION_BOOLEAN)
		(void) parse_bool(value, &on);
	if (option->is_for_superusers && on && !superuser())
		return iotdata_fail(failure, ERRCODE_INSUFFICIENT_PRIVILEGE,
							psprintf("permission denied for option \"%s\"", option->name),
							"Only superusers can set it, or change an object that has it.", NULL);
	return true;
}

/* ---- options together ---- */

static bool
fail_together(IotDataFailure *failure, const char *message, const char *hint)
{
	return iotdata_fail(failure, ERRCODE_INVALID_PARAMETER_VALUE, message, NULL, hint);
}

static bool
check_server(List *options, IotDataFailure *failure)
{
	if (iotdata_options_get(options, "endpoint_url") != NULL &&
		(iotdata_options_get_boolean(options, "use_fips_endpoint", false) ||
		 iotdata_options_get_boolean(options, "use_dualstack_endpoint", false)))
		return fail_together(failure,
							 "option \"endpoint_url\" cannot be used together with \"use_fips_endpoint\" or \"use_dualstack_endpoint\"",
							 "Give the URL of the endpoint that is meant.");
	return true;
}

static bool
check_mapping(List *options, IotDataFailure *failure)
{
	bool		key = iotdata_options_get(options, "access_key_id") != NULL;
	bool		secret = iotdata_options_get(options, "secret_access_key") != NULL;
	bool		role = iotdata_options_get(options, "role_arn") != NULL;
	int			sources = key + (iotdata_options_get(options, "profile") != NULL) +
		iotdata_options_get_boolean(options, "use_default_credentials", false);

	if (key != secret)
		return fail_together(failure,
							 psprintf("option \"%s\" is missing", key ? "secret_access_key" : "access_key_id"),
							 "Set access_key_id and secret_access_key in one command.");
	if (iotdata_options_get(options, "session_token") != NULL && !key)
		return fail_together(failure, "option \"session_token\" cannot be used without \"access_key_id\"", NULL);
	if (sources > 1)
		return fail_together(failure,
							 "only one of the options \"access_key_id\", \"profile\" and \"use_default_credentials\" can be used",
							 NULL);
	if (role && sources == 0)
		return fail_together(failure, "option \"role_arn\" cannot be used without credentials that may assume the role",
							 "Set access_key_id and secret_access_key, too.");
	if (!role && (iotdata_options_get(options, "external_id") != NULL ||
				  iotdata_options_get(options, "role_session_name") != NULL))
		return fail_together(failure,
							 "options \"external_id\" and \"role_session_name\" cannot be used without \"role_arn\"",
							 NULL);
	return true;
}

bool
iotdata_options_check(List *options, Oid catalog, IotDataFailure *failure)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		if (!check_one(lfirst_node(DefElem, cell), catalog, failure))
			return false;
	}
	if (catalog == ForeignServerRelationId)
		return check_server(options, failure);
	return catalog != UserMappingRelationId || check_mapping(options, failure);
}

/* ---- out of the catalogs ---- */

List *
iotdata_options_read(Datum options)
{
	ArrayType  *array = DatumGetArrayTypePCopy(options);
	List	   *list = untransformRelOptions(PointerGetDatum(array));

	explicit_bzero(array, VARSIZE(array));
	pfree(array);
	return list;
}

void
iotdata_options_clear(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (option->arg != NULL)
			explicit_bzero(strVal(option->arg), strlen(strVal(option->arg)));
	}
}
