/*
 * compat.h
 *		Every difference between the supported versions of PostgreSQL (15 to
 *		19) and of libcurl: no other file tests a version.
 */
#ifndef IOTDATA_COMPAT_H
#define IOTDATA_COMPAT_H

#include "postgres.h"

#include <curl/curlver.h>

#include "access/tupdesc.h"
#include "fmgr.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 190000
#include "executor/instrument.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#include "storage/waiteventset.h"
#endif

#if PG_VERSION_NUM < 150000
#error "iotdata needs PostgreSQL 15 or newer"
#endif
#if LIBCURL_VERSION_NUM < 0x075700
#error "iotdata needs libcurl 7.87 or newer (CURLOPT_QUICK_EXIT)"
#endif

/*
 * What is said of a function that does not return: before its declaration from
 * 18 on, where the old macro is gone.
 */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* From 18 on a module tells its name and version (pg_get_loaded_modules). */
#if PG_VERSION_NUM >= 180000
#define IOTDATA_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "iotdata", .version = IOTDATA_VERSION)
#else
#define IOTDATA_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/*
 * From 8.20 on libcurl's threads that resolve names belong to a multi handle,
 * and its end waits for them unless it is told not to; what is asked of each
 * easy handle (CURLOPT_QUICK_EXIT) does not count there. A macro, so that only
 * those who use it need libcurl's header.
 */
#if LIBCURL_VERSION_NUM >= 0x081400
#define iotdata_multi_quick_exit(multi) \
	((void) curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L))
#else
#define iotdata_multi_quick_exit(multi) ((void) 0)
#endif

/*
 * From 17 on a custom path for a join can name its clauses, and those that do
 * not depend on any row are then checked once, above it.
 */
#if PG_VERSION_NUM >= 170000
#define IOTDATA_CUSTOM_JOIN_GATES true
#define iotdata_set_custom_restrictinfo(path, clauses) \
	((path)->custom_restrictinfo = (clauses))
#else
#define IOTDATA_CUSTOM_JOIN_GATES false
#define iotdata_set_custom_restrictinfo(path, clauses) ((void) 0)
#endif

/* From 18 on a path counts its nodes that a setting has disabled. */
#if PG_VERSION_NUM >= 180000
#define iotdata_copy_disabled_nodes(path, from) \
	((path)->disabled_nodes = (from)->disabled_nodes)
#else
#define iotdata_copy_disabled_nodes(path, from) ((void) 0)
#endif

/* From 19 on a new slot may be told what its tuples are sure to have. */
#if PG_VERSION_NUM >= 190000
#define iotdata_alloc_table_slot(table, columns, ops) \
	ExecAllocTableSlot(table, columns, ops, 0)
#else
#define iotdata_alloc_table_slot(table, columns, ops) \
	ExecAllocTableSlot(table, columns, ops)
#endif

/* From 19 on the number of a system cache has a type. */
#if PG_VERSION_NUM >= 190000
#define IotDataSysCacheId SysCacheIdentifier
#else
#define IotDataSysCacheId int
#endif

/* From 19 on a join may be of rows that are partly aggregated already. */
#if PG_VERSION_NUM >= 190000
#define iotdata_is_grouped(rel) IS_GROUPED_REL(rel)
#else
#define iotdata_is_grouped(rel) false
#endif

/* This process's number in the array of all processes. */
#if PG_VERSION_NUM >= 170000
#define iotdata_my_process_number() MyProcNumber
#else
#define iotdata_my_process_number() MyProc->pgprocno
#endif

/* What the statistics say of a table's rows that are not dead. */
#if PG_VERSION_NUM >= 160000
#define iotdata_live_tuples(entry) ((entry)->live_tuples)
#else
#define iotdata_live_tuples(entry) ((entry)->n_live_tuples)
#endif

/* Whether the current role owns a database; superusers own all. */
#if PG_VERSION_NUM >= 160000
#define iotdata_owns_database(database) \
	object_ownercheck(DatabaseRelationId, database, GetUserId())
#else
#define iotdata_owns_database(database) \
	pg_database_ownercheck(database, GetUserId())
#endif

/* What a role may do, which need not be the current one. */
#if PG_VERSION_NUM >= 160000
#define iotdata_role_can_execute(function, role) \
	(object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK)
#else
#define iotdata_role_can_execute(function, role) \
	(pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK)
#endif

#if PG_VERSION_NUM >= 160000
#define iotdata_find_placeholder_info(root, placeholder) \
	find_placeholder_info(root, placeholder)
#define iotdata_can_execute(function) \
	object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE)
#else
#define iotdata_find_placeholder_info(root, placeholder) \
	find_placeholder_info(root, placeholder, false)
#define iotdata_can_execute(function) \
	pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE)
#endif

/*
 * Before 17 there can be no subtransaction while parallel workers run, not even
 * one that ends before anything else is done. A macro, so that only those who
 * use it need access/xact.h.
 */
#if PG_VERSION_NUM >= 170000
#define iotdata_may_begin_subtransaction() true
#else
#define iotdata_may_begin_subtransaction() (!IsInParallelMode())
#endif

/* A setting's entry. A macro, so that only those who use it need its headers. */
#if PG_VERSION_NUM >= 160000
#define iotdata_find_setting(name) find_option(name, false, true, 0)
#else
#define iotdata_find_setting(name) iotdata_search_setting(get_guc_variables(), GetNumConfigOptions(), name)
#define iotdata_search_setting(all, number, wanted) \
	({ \
		struct config_generic *found_ = NULL; \
		for (int i_ = 0; i_ < (number) && found_ == NULL; i_++) \
		{ \
			if (strcmp((all)[i_]->name, (wanted)) == 0) \
				found_ = (all)[i_]; \
		} \
		found_; \
	})
#endif

/* A row of one column, in the current memory context. */
static inline TupleDesc
iotdata_one_column(Oid type)
{
	TupleDesc	columns = CreateTemplateTupleDesc(1);

	TupleDescInitEntry(columns, 1, "value", type, -1, 0);
#if PG_VERSION_NUM >= 190000
	TupleDescFinalize(columns);
#endif
	return columns;
}

/* A row of some columns of another, in the current memory context. */
static inline TupleDesc
iotdata_some_columns(TupleDesc all, const int *numbers, int count)
{
	TupleDesc	columns = CreateTemplateTupleDesc(count);

	for (int i = 0; i < count; i++)
		TupleDescCopyEntry(columns, (AttrNumber) (i + 1), all, (AttrNumber) (numbers[i] + 1));
#if PG_VERSION_NUM >= 190000
	TupleDescFinalize(columns);
#endif
	return columns;
}

/* A set of wait events for the life of the backend. */
static inline WaitEventSet *
iotdata_create_wait_event_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/*
 * What pg_stat_activity shows while a backend waits, by a name of ours where
 * the version has such. "kept" is a static variable, 0 at first.
 */
static inline uint32
iotdata_wait_event(uint32 *kept, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*kept == 0)
		*kept = WaitEventExtensionNew(name);
	return *kept;
#else
	return PG_WAIT_EXTENSION;
#endif
}

#endif							/* IOTDATA_COMPAT_H */
