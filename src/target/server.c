/*
 * server.c
 *		A target out of a foreign server and a user mapping.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "compat.h"
#include "miscadmin.h"
#include "settings/settings.h"
#include "target/aws_settings.h"
#include "target/default.h"
#include "target/options.h"
#include "target/server.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#define WRAPPER "iotdata_fdw"

/* what the target's strings say of where something is from */
#define REGION_OPTION "server option region"
#define URL_OPTION "server option endpoint_url"

/* ---- who may use what ---- */

static bool
fail_missing(IotDataFailure *failure, const char *name)
{
	return iotdata_fail(failure, ERRCODE_UNDEFINED_OBJECT,
						psprintf("server \"%s\" does not exist", name), NULL, NULL);
}

/* Has the current user USAGE on the server, by its row? */
static bool
may_use(HeapTuple tuple, Oid owner)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(FOREIGNSERVERNAME, tuple, Anum_pg_foreign_server_srvacl, &isnull);
	Acl		   *acl = isnull ? acldefault(OBJECT_FOREIGN_SERVER, owner) : DatumGetAclP(datum);

	return superuser() || aclmask(acl, GetUserId(), owner, ACL_USAGE, ACLMASK_ANY) != 0;
}

/*
 * A server by its name, with its wrapper and its owner, and whether the current
 * user may use it. (As much as possible is
 * looked up in the same caches: with many servers, these are what takes memory.)
 */
static bool
read_server(const char *name, Oid *server, Oid *wrapper, Oid *owner, bool *is_allowed)
{
	HeapTuple	tuple = SearchSysCache1(FOREIGNSERVERNAME, CStringGetDatum(name));
	Form_pg_foreign_server form;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_foreign_server) GETSTRUCT(tuple);
	*server = form->oid;
	*wrapper = form->srvfdw;
	*owner = form->srvowner;
	*is_allowed = may_use(tuple, form->srvowner);
	ReleaseSysCache(tuple);
	return true;
}

/* Only superusers make foreign-data wrappers, so the name says which it is. */
static bool
is_our_wrapper(Oid wrapper)
{
	HeapTuple	tuple = SearchSysCache1(FOREIGNDATAWRAPPEROID, ObjectIdGetDatum(wrapper));
	bool		is_ours;

	if (!HeapTupleIsValid(tuple))
		return false;
	is_ours = strcmp(NameStr(((Form_pg_foreign_data_wrapper) GETSTRUCT(tuple))->fdwname), WRAPPER) == 0;
	ReleaseSysCache(tuple);
	return is_ours;
}

/* The mapping of a user; with InvalidOid, PUBLIC's. InvalidOid: none. */
static Oid
find_mapping(Oid user, Oid server)
{
	HeapTuple	tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(user),
										ObjectIdGetDatum(server));
	Oid			mapping;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	mapping = ((Form_pg_user_mapping) GETSTRUCT(tuple))->oid;
	ReleaseSysCache(tuple);
	return mapping;
}

bool
iotdata_server_find(IotDataServer *server, const char *name, IotDataFailure *failure)
{
	Oid			wrapper;
	Oid			owner;
	bool		is_allowed;

	server->name = name;
	if (!read_server(name, &server->server, &wrapper, &owner, &is_allowed))
		return fail_missing(failure, name);
	if (!is_allowed)
		return iotdata_fail(failure, ERRCODE_INSUFFICIENT_PRIVILEGE,
							psprintf("permission denied for foreign server %s", name), NULL, NULL);
	if (!is_our_wrapper(wrapper))
		return iotdata_fail(failure, ERRCODE_WRONG_OBJECT_TYPE,
							psprintf("server \"%s\" is not of foreign-data wrapper \"" WRAPPER "\"", name),
							NULL, NULL);
	server->user = GetUserId();
	server->mapping = find_mapping(server->user, server->server);
	if (!OidIsValid(server->mapping))
	{
		server->user = InvalidOid;
		server->mapping = find_mapping(server->user, server->server);
	}
	if (!OidIsValid(server->mapping))
		return iotdata_fail(failure, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							psprintf("user mapping not found for user \"%s\", server \"%s\"",
									 GetUserNameFromId(GetUserId(), false), name),
							NULL, "Use CREATE USER MAPPING to give the user AWS credentials.");
	server->is_trusted = superuser_arg(owner);
	return true;
}

/* ---- the target ---- */

/*
 * The options in a column of a row, which is released. Returns false when it is
 * not there, or the row of another object by now.
 */
static bool
take_options(HeapTuple tuple, int cache, AttrNumber column, AttrNumber oid_column,
			 Oid object, List **options)
{
	Datum		datum;
	bool		isnull;
	bool		is_same;

	*options = NIL;
	if (!HeapTupleIsValid(tuple))
		return false;
	is_same = DatumGetObjectId(SysCacheGetAttr(cache, tuple, oid_column, &isnull)) == object;
	datum = SysCacheGetAttr(cache, tuple, column, &isnull);
	if (is_same && !isnull)
		*options = iotdata_options_read(datum);
	ReleaseSysCache(tuple);
	return is_same;
}

static bool
read_server_options(const IotDataServer *server, List **options)
{
	return take_options(SearchSysCache1(FOREIGNSERVERNAME, CStringGetDatum(server->name)),
						FOREIGNSERVERNAME, Anum_pg_foreign_server_srvoptions,
						Anum_pg_foreign_server_oid, server->server, options);
}

static bool
read_mapping_options(const IotDataServer *server, List **options)
{
	return take_options(SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(server->user),
										ObjectIdGetDatum(server->server)),
						USERMAPPINGUSERSERVER, Anum_pg_user_mapping_umoptions,
						Anum_pg_user_mapping_oid, server->mapping, options);
}

/* What the server's options leave out is as the settings have it. */
static bool
set_place(IotDataTarget *target, List *options, IotDataFailure *failure)
{
	const char *region = iotdata_options_get(options, "region");
	const char *url = iotdata_options_get(options, "endpoint_url");
	const char *ca_file = iotdata_options_get(options, "ca_file");
	IotDataFound found = {region, REGION_OPTION};

	if (region == NULL)
		iotdata_aws_settings_region(&found);
	target->credentials.use_fips_endpoint = iotdata_options_get_boolean(options, "use_fips_endpoint",
																		iotdata_use_fips_endpoint);
	target->credentials.use_dualstack_endpoint = iotdata_options_get_boolean(options, "use_dualstack_endpoint",
																			 iotdata_use_dualstack_endpoint);
	target->inherits_fips = iotdata_options_get(options, "use_fips_endpoint") == NULL;
	target->inherits_dualstack = iotdata_options_get(options, "use_dualstack_endpoint") == NULL;
	target->inherits_ca_file = ca_file == NULL;
	target->ca_file = ca_file != NULL ? ca_file : iotdata_ca_file;
	target->credentials.ca_file = target->ca_file;
	target->read_rate = iotdata_options_get_number(options, "read_rate");
	target->send_rate = iotdata_options_get_number(options, "send_rate");
	if (!iotdata_target_set_region(target, found.value, found.origin, failure))
		return false;
	if (url != NULL)
		return iotdata_target_set_endpoint(target, url, URL_OPTION, failure);
	return iotdata_target_set_endpoint_by_rule(target, failure);
}

/*
 * Nothing that a mapping does not name is used: least of all what the database
 * server itself has.
 */
static bool
set_credentials(IotDataTarget *target, List *options, bool is_trusted,
				IotDataFailure *failure)
{
	IotDataCredentialsSource *source = &target->credentials;

	source->access_key_id = iotdata_options_get(options, "access_key_id");
	source->secret_access_key = iotdata_options_get(options, "secret_access_key");
	source->session_token = iotdata_options_get(options, "session_token");
	source->role_arn = iotdata_options_get(options, "role_arn");
	source->external_id = iotdata_options_get(options, "external_id");
	source->role_session_name = iotdata_options_get(options, "role_session_name");
	source->profile = iotdata_options_get(options, "profile");
	source->use_default = iotdata_options_get_boolean(options, "use_default_credentials", false);
	if ((source->profile != NULL || source->use_default) && !is_trusted)
		return iotdata_fail(failure, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							psprintf("server \"%s\" cannot use credentials of the database server",
									 target->server),
							"It belongs to a role that is not a superuser, and could send them anywhere.",
							"Change its owner to a superuser, or set access_key_id and secret_access_key in the user mapping.");
	if ((source->access_key_id == NULL || source->secret_access_key == NULL) &&
		source->profile == NULL && !source->use_default)
		return iotdata_fail(failure, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							psprintf("the user mapping for server \"%s\" has no AWS credentials",
									 target->server),
							NULL,
							"Use CREATE USER MAPPING or ALTER USER MAPPING to set access_key_id and secret_access_key.");
	return true;
}

const IotDataTarget *
iotdata_server_target(const IotDataServer *server, MemoryContext holder,
					  IotDataFailure *failure)
{
	IotDataTarget values = {.references = 0};
	const IotDataTarget *target = NULL;
	List	   *place = NIL;
	List	   *credentials = NIL;

	strlcpy(values.server, server->name, sizeof(values.server));
	if (!read_server_options(server, &place) || !read_mapping_options(server, &credentials))
		fail_missing(failure, server->name);
	else if (set_place(&values, place, failure) &&
			 set_credentials(&values, credentials, server->is_trusted, failure))
		target = iotdata_target_create(&values, holder);
	iotdata_options_clear(credentials);
	return target;
}

bool
iotdata_server_is_current(const IotDataTarget *target)
{
	IotDataFound region;

	if ((target->inherits_fips && target->credentials.use_fips_endpoint != iotdata_use_fips_endpoint) ||
		(target->inherits_dualstack && target->credentials.use_dualstack_endpoint != iotdata_use_dualstack_endpoint) ||
		(target->inherits_ca_file && strcmp(target->ca_file, iotdata_ca_file) != 0))
		return false;
	if (strcmp(target->region_source, REGION_OPTION) == 0)
		return true;
	iotdata_aws_settings_region(&region);
	return region.value != NULL && strcmp(region.origin, target->region_source) == 0 &&
		strcmp(region.value, target->region) == 0;
}
