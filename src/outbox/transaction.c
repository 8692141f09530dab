/*
 * transaction.c
 *		The short transactions in which the outbox is read and written.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "outbox/relation.h"
#include "outbox/transaction.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

void
iotdata_outbox_begin(bool in_procedure)
{
	if (!in_procedure)
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		SPI_connect();
	}
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
iotdata_outbox_commit(bool in_procedure)
{
	PopActiveSnapshot();
	if (in_procedure)
	{
		SPI_commit();
		return;
	}
	SPI_finish();
	CommitTransactionCommand();
	pgstat_report_stat(false);
}

static Oid
find_owner(void)
{
	HeapTuple	outbox = SearchSysCache1(RELOID, ObjectIdGetDatum(iotdata_outbox_relation("outbox")));
	Oid			owner = ((Form_pg_class) GETSTRUCT(outbox))->relowner;

	ReleaseSysCache(outbox);
	return owner;
}

static void
set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
iotdata_outbox_as_owner(void (*write) (void *arg), void *arg)
{
	int			level = NewGUCNestLevel();
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(find_owner(), security | SECURITY_LOCAL_USERID_CHANGE);
	set("search_path", "pg_catalog, pg_temp");
	set("enable_seqscan", "off");
	set("enable_bitmapscan", "off");
	set("jit", "off");
	write(arg);
	AtEOXact_GUC(true, level);
	SetUserIdAndSecContext(user, security);
}

bool
iotdata_outbox_try(void (*write) (void *arg), void *arg, ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		iotdata_outbox_as_owner(write, arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		if ((*error)->sqlerrcode == ERRCODE_QUERY_CANCELED ||
			(*error)->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		done = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}
