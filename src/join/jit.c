/*
 * jit.c
 *		Keeps PostgreSQL from compiling a query that only waits.
 *
 * A call is costed as it deserves, so that plans make few of them; a thousand
 * are dearer than jit_above_cost. But compiling expressions makes no call
 * shorter: it takes time and a hundred megabytes, and gives nothing back. So
 * that is decided once more, when a query begins, without what its calls cost:
 * a node of the plan that makes calls counts nothing by itself, nor does a
 * nested loop over one, which repeats it.
 *
 * Not in a planner hook, because the library is often loaded by the planner in
 * the middle of a session's first query, and that one counts, too.
 */
#include "postgres.h"

#include <dlfcn.h>

#include "access/transam.h"
#include "fmgr.h"
#include "jit/jit.h"
#include "join/jit.h"
#include "join/join.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"

static ExecutorStart_hook_type previous_hook;

static Cost work(const Plan *plan, const PlannedStmt *query, bool *calls);

/* Where in memory is the library that has a function at this address? */
static const void *
library_at(const void *address)
{
	Dl_info		info;

	return dladdr(address, &info) != 0 ? info.dli_fbase : NULL;
}

/* Is a function, known by its Oid, one of this library's? */
static bool
is_ours(Oid function, void *context)
{
	FmgrInfo	info;

	if (function < FirstNormalObjectId)
		return false;
	fmgr_info(function, &info);
	return library_at(info.fn_addr) == library_at(iotdata_jit_init);
}

/* Does an expression make calls, by itself or in a sub-select? */
static bool
expression_calls(Node *node, void *context)
{
	const PlannedStmt *query = context;

	if (node == NULL)
		return false;
	if (IsA(node, SubPlan))
	{
		bool		calls = false;

		work(list_nth(query->subplans, ((SubPlan *) node)->plan_id - 1), query, &calls);
		if (calls)
			return true;
	}
	return check_functions_in_node(node, is_ours, NULL) ||
		expression_tree_walker(node, expression_calls, context);
}

static bool
node_calls(const Plan *plan, const PlannedStmt *query)
{
	List	   *more = NIL;

	if (IsA(plan, CustomScan) &&
		((const CustomScan *) plan)->methods == &iotdata_join_scan_methods)
		return true;
	if (IsA(plan, FunctionScan))
		more = ((const FunctionScan *) plan)->functions;
	else if (IsA(plan, NestLoop))
		more = ((const NestLoop *) plan)->join.joinqual;
	return expression_calls((Node *) list_make3(plan->targetlist, plan->qual, more),
							unconstify(PlannedStmt *, query));
}

/* The plans whose cost a plan's own includes. */
static List *
plans_below(const Plan *plan, const PlannedStmt *query)
{
	List	   *below = list_make2(plan->lefttree, plan->righttree);
	ListCell   *cell;

	if (IsA(plan, Append))
		below = list_concat(below, ((const Append *) plan)->appendplans);
	else if (IsA(plan, MergeAppend))
		below = list_concat(below, ((const MergeAppend *) plan)->mergeplans);
	else if (IsA(plan, SubqueryScan))
		below = lappend(below, ((const SubqueryScan *) plan)->subplan);
	else if (IsA(plan, CustomScan))
		below = list_concat(below, ((const CustomScan *) plan)->custom_plans);
	foreach(cell, plan->initPlan)
		below = lappend(below, list_nth(query->subplans, lfirst_node(SubPlan, cell)->plan_id - 1));
	return below;
}

/* What a plan costs without its calls; sets *calls when there are any. */
static Cost
work(const Plan *plan, const PlannedStmt *query, bool *calls)
{
	Cost		own;
	Cost		all = 0;
	bool		calls_below = false;
	ListCell   *cell;

	if (plan == NULL)
		return 0;
	check_stack_depth();
	own = plan->total_cost;
	foreach(cell, plans_below(plan, query))
	{
		const Plan *below = lfirst(cell);

		all += work(below, query, &calls_below);
		own -= below != NULL ? below->total_cost : 0;
	}
	if (node_calls(plan, query))
		calls_below = true;
	else if (own > 0 && !(calls_below && IsA(plan, NestLoop)))
		all += own;
	*calls |= calls_below;
	return all;
}

static bool
only_waits(const PlannedStmt *query)
{
	bool		calls = false;
	Cost		cost = work(query->planTree, query, &calls);

	return calls && cost <= jit_above_cost;
}

static void
start_executor(QueryDesc *query, int eflags)
{
	if ((query->plannedstmt->jitFlags & PGJIT_PERFORM) && only_waits(query->plannedstmt))
	{
		/* the plan may be used again, by others, too */
		PlannedStmt *copy = makeNode(PlannedStmt);

		*copy = *query->plannedstmt;
		copy->jitFlags = PGJIT_NONE;
		query->plannedstmt = copy;
	}
	if (previous_hook != NULL)
		previous_hook(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

void
iotdata_jit_init(void)
{
	previous_hook = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
}
