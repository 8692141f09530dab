/*
 * functions.c
 *		Which SQL functions can be looked up in batches.
 *
 * They are known by their C functions, which the operations' tables name, not
 * by their own names. Only functions that have our planner support function are
 * looked at, and that function is also why the library is there when the first
 * query of a session is planned, before any of its functions is called.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "join/join.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(iotdata_reading_support);

/* It supports nothing by itself: that it is called loads the library. */
Datum
iotdata_reading_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}

static bool
is_support_function(Oid function)
{
	FmgrInfo	info;

	if (!OidIsValid(function))
		return false;
	fmgr_info(function, &info);
	return info.fn_addr == iotdata_reading_support;
}

/*
 * The C function of an SQL function and the file of its library; NULL for what
 * is not in C. Allocated in the current memory context.
 */
static const char *
c_function(Oid function, const char **library)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	const char *name = NULL;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId)
	{
		bool		isnull;

		*library = TextDatumGetCString(SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_probin, &isnull));
		name = TextDatumGetCString(SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull));
	}
	ReleaseSysCache(tuple);
	return name;
}

/* Is it in the same library as its support function, that is, in this one? */
static const char *
function_of_ours(Oid function, Oid support)
{
	const char *library;
	const char *ours;
	const char *name = c_function(function, &library);

	if (name == NULL || c_function(support, &ours) == NULL || strcmp(library, ours) != 0)
		return NULL;
	return name;
}

const IotDataOperation *
iotdata_join_operation(Oid function)
{
	Oid			support = get_func_support(function);
	const char *name = NULL;

	if (is_support_function(support) && type_is_rowtype(get_func_rettype(function)))
		name = function_of_ours(function, support);
	if (name == NULL)
		return NULL;
	for (int i = 0; iotdata_operations[i] != NULL; i++)
	{
		if (strcmp(iotdata_operations[i]->function, name) == 0 &&
			!iotdata_operation_is_action(iotdata_operations[i]))
			return iotdata_operations[i];
	}
	return NULL;
}
