/*
 * utility.c
 *		Commands that concern those who send the outbox's messages.
 *
 * COMMIT PREPARED commits what was queued in another session, perhaps.
 * DROP DATABASE, CREATE DATABASE ... TEMPLATE, and ALTER DATABASE ... RENAME or
 * SET TABLESPACE fail while anybody is connected to the database: its workers
 * are asked to leave, and kept away meanwhile, if the command is that of the
 * database's owner: whoever may not run it does not disturb them.
 */
#include "postgres.h"

#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "outbox/utility.h"
#include "outbox/wake.h"
#include "pgstat.h"
#include "shared/outbox_slots.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/utility.h"
#include "utils/acl.h"

/* milliseconds: a worker that is waiting for an answer ends by itself */
#define LONGEST_WAIT 10000

static ProcessUtility_hook_type previous_hook = NULL;

/* the database that this session holds; a session that ends lets go of it */
static Oid	held = InvalidOid;

static void
let_go(int code, Datum arg)
{
	if (OidIsValid(held))
		iotdata_slots_let_go(held);
	held = InvalidOid;
}

static const char *
named_option(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return NULL;
}

/* What a new database is a copy of. */
static const char *
find_template(const CreatedbStmt *statement)
{
	const char *name = named_option(statement->options, "template");

	return name != NULL ? name : "template1";
}

/* The database that nobody may be connected to for this command; or NULL. */
static const char *
find_database(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			return ((DropdbStmt *) statement)->dbname;
		case T_CreatedbStmt:
			return find_template((CreatedbStmt *) statement);
		case T_AlterDatabaseStmt:
			if (named_option(((AlterDatabaseStmt *) statement)->options, "tablespace") != NULL)
				return ((AlterDatabaseStmt *) statement)->dbname;
			return NULL;
		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				return ((RenameStmt *) statement)->subname;
			return NULL;
		default:
			return NULL;
	}
}

/* Keep the database's workers away; wait until they have left. */
static void
hold(Oid database)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(let_go, (Datum) 0);
	registered = true;
	held = database;
	iotdata_slots_hold(database);
	for (int waited = 0; waited < LONGEST_WAIT && !iotdata_slots_are_empty(database); waited += 10)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
run(PlannedStmt *statement, const char *text, bool read_only,
	ProcessUtilityContext context, ParamListInfo parameters,
	QueryEnvironment *environment, DestReceiver *destination,
	QueryCompletion *completion)
{
	if (previous_hook)
		previous_hook(statement, text, read_only, context, parameters, environment,
					  destination, completion);
	else
		standard_ProcessUtility(statement, text, read_only, context, parameters,
								environment, destination, completion);
}

static void
process_utility(PlannedStmt *statement, const char *text, bool read_only,
				ProcessUtilityContext context, ParamListInfo parameters,
				QueryEnvironment *environment, DestReceiver *destination,
				QueryCompletion *completion)
{
	Node	   *command = statement->utilityStmt;
	const char *name = find_database(command);
	Oid			database = name != NULL ? get_database_oid(name, true) : InvalidOid;
	bool		commits = IsA(command, TransactionStmt) &&
		((TransactionStmt *) command)->kind == TRANS_STMT_COMMIT_PREPARED;

	if (!OidIsValid(database) || OidIsValid(held) || !iotdata_owns_database(database))
	{
		run(statement, text, read_only, context, parameters, environment, destination,
			completion);
		if (commits)
			iotdata_outbox_wake_now();
		return;
	}
	PG_TRY();
	{
		hold(database);
		run(statement, text, read_only, context, parameters, environment, destination,
			completion);
	}
	PG_CATCH();
	{
		let_go(0, (Datum) 0);
		PG_RE_THROW();
	}
	PG_END_TRY();
	let_go(0, (Datum) 0);
}

void
iotdata_outbox_utility_init(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
