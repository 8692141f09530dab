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
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "settings/settings.h"
#include "target/default.h"
#include "target/options.h"
#include "target/server.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define WRAPPER "iotdata_fdw"

/* what the target's strings say of where something is from */
#define REGION_OPTION "server option region"
#define URL_OPTION "server option endpoint_url"

static bool
fail(IotDataFailure *failure, int sqlstate, const char *message,
	 const char *detail, const char *hint)
{
	failure->sqlstate = sqlstate;
	failure->message = message;
	failure->detail = detail;
	failure->hint = hint;
	return false;
}

/* ---- who may use what ---- */

/* The wrapper and the owner of a server. */
static bool
read_server(Oid server, Oid *wrapper, Oid *owner)
{
	HeapTuple	tuple = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(server));
	Form_pg_foreign_server form;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_foreign_server) GETSTRUCT(tuple);
	*wrapper = form->srvfdw;
	*owner = form->srvowner;
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

	server->server = get_foreign_server_oid(name, true);
	if (!OidIsValid(server->server) || !read_server(server->server, &wrapper, &owner))
		return fail(failure, ERRCODE_UNDEFINED_OBJECT,
					psprintf("server \"%s\" does not exist", name), NULL, NULL);
	if (!iotdata_can_use_server(server->server))
		return fail(failure, ERRCODE_INSUFFICIENT_PRIVILEGE,
					psprintf("permission denied for foreign server %s", name), NULL, NULL);
	if (!is_our_wrapper(wrapper))
		return fail(failure, ERRCODE_WRONG_OBJECT_TYPE,
					psprintf("server \"%s\" is not of foreign-data wrapper \"" WRAPPER "\"", name),
					NULL, NULL);
	server->mapping = find_mapping(GetUserId(), server->server);
	if (!OidIsValid(server->mapping))
		server->mapping = find_mapping(InvalidOid, server->server);
	if (!OidIsValid(server->mapping))
		return fail(failure, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
					psprintf("user mapping not found for user \"%s\", server \"%s\"",
							 GetUserNameFromId(GetUserId(), false), name),
					NULL, "Use CREATE USER MAPPING to give the user AWS credentials.");
	server->is_trusted = superuser_arg(owner);
	return true;
}

/* ---- the target ---- */

/* The options in a column of an object's row; NIL when there are none. */
static List *
read_options(int cache, Oid object, AttrNumber column)
{
	HeapTuple	tuple = SearchSysCache1(cache, ObjectIdGetDatum(object));
	List	   *options = NIL;
	Datum		datum;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		return NIL;
	datum = SysCacheGetAttr(cache, tuple, column, &isnull);
	if (!isnull)
		options = iotdata_options_read(datum);
	ReleaseSysCache(tuple);
	return options;
}

/* What the server's options leave out is as the settings have it. */
static bool
set_place(IotDataTarget *target, List *options, IotDataFailure *failure)
{
	const char *region = iotdata_options_get(options, "region");
	const char *url = iotdata_options_get(options, "endpoint_url");
	const char *ca_file = iotdata_options_get(options, "ca_file");
	const char *source = REGION_OPTION;

	if (region == NULL)
		region = iotdata_target_default_region(&source);
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
	if (!iotdata_target_set_region(target, region, source, failure))
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
		return fail(failure, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
					psprintf("server \"%s\" cannot use credentials of the database server",
							 target->server),
					"It belongs to a role that is not a superuser, and could send them anywhere.",
					"Change its owner to a superuser, or set access_key_id and secret_access_key in the user mapping.");
	if ((source->access_key_id == NULL || source->secret_access_key == NULL) &&
		source->profile == NULL && !source->use_default)
		return fail(failure, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
					psprintf("the user mapping for server \"%s\" has no AWS credentials",
							 target->server),
					NULL,
					"Use CREATE USER MAPPING or ALTER USER MAPPING to set access_key_id and secret_access_key.");
	return true;
}

static const IotDataTarget *
create(const IotDataServer *server, List *place, List *credentials,
	   MemoryContext holder, IotDataFailure *failure)
{
	IotDataTarget target = {.references = 0};
	ForeignServer *object = GetForeignServerExtended(server->server, FSV_MISSING_OK);

	if (object == NULL)
	{
		fail(failure, ERRCODE_UNDEFINED_OBJECT, "the server was dropped", NULL, NULL);
		return NULL;
	}
	strlcpy(target.server, object->servername, sizeof(target.server));
	if (!set_place(&target, place, failure) ||
		!set_credentials(&target, credentials, server->is_trusted, failure))
		return NULL;
	return iotdata_target_create(&target, holder);
}

const IotDataTarget *
iotdata_server_target(const IotDataServer *server, MemoryContext holder,
					  IotDataFailure *failure)
{
	List	   *place = read_options(FOREIGNSERVEROID, server->server,
									 Anum_pg_foreign_server_srvoptions);
	List	   *credentials = read_options(USERMAPPINGOID, server->mapping,
										   Anum_pg_user_mapping_umoptions);
	const IotDataTarget *target = create(server, place, credentials, holder, failure);

	iotdata_options_clear(credentials);
	return target;
}

bool
iotdata_server_is_current(const IotDataTarget *target)
{
	const char *source = NULL;
	const char *region;

	if ((target->inherits_fips && target->credentials.use_fips_endpoint != iotdata_use_fips_endpoint) ||
		(target->inherits_dualstack && target->credentials.use_dualstack_endpoint != iotdata_use_dualstack_endpoint) ||
		(target->inherits_ca_file && strcmp(target->ca_file, iotdata_ca_file) != 0))
		return false;
	if (strcmp(target->region_source, REGION_OPTION) == 0)
		return true;
	region = iotdata_target_default_region(&source);
	return region != NULL && strcmp(source, target->region_source) == 0 &&
		strcmp(region, target->region) == 0;
}
