/*
 * plan.c
 *		Offers batched lookups to the planner.
 *
 * A join whose inner side is a reading function with lateral arguments gets a
 * custom path for each path of its outer side. PostgreSQL's own way, a nested
 * loop, is costed as if the function ran once, because a function scan that is
 * repeated usually reads its tuplestore again; with lateral arguments it makes
 * a call for each row. So that is put right first, for all plans: then the
 * batched path is the cheaper one, and the planner knows that fewer rows before
 * the join mean fewer calls. (That such costs are no reason to compile a query
 * is jit.c's business.)
 *
 * The custom scan's tuple has the columns that are needed of both sides. Its
 * join clauses are checked before a left join makes the function's columns
 * NULL, its other clauses after. Expressions over the function's row (they are
 * PlaceHolderVars, when the join may make them NULL) are computed in between. From 16 on a Var says which outer joins have
 * made it NULL, so that a column of the function is not the same Var before
 * and after; here both are the same column of the tuple, and setrefs.c, which
 * would object, is given the Var of after for both.
 */
#include "postgres.h"

#include "compat.h"
#include "join/clauses.h"
#include "join/columns.h"
#include "join/join.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/planmain.h"
#include "parser/parsetree.h"
#include "settings/settings.h"
#include "utils/selfuncs.h"

/* Rows of the first batch where the planner knows of a limit, but not which. */
#define FIRST_BATCH 8

/* What a custom path keeps for its plan (custom_private, by position). */
typedef enum PathPrivate
{
	PATH_JOIN_TYPE,				/* Integer */
	PATH_RELID,					/* Integer: the function's index of the range
								 * table */
	PATH_FUNCTION,				/* FuncExpr */
	PATH_OPERATION,				/* String: its name */
	PATH_CLAUSES				/* List of RestrictInfo */
} PathPrivate;

/* A join that can be batched. */
typedef struct Candidate
{
	RelOptInfo *join;
	RelOptInfo *outer;
	RelOptInfo *inner;
	JoinType	type;
	JoinPathExtraData *extra;
	FuncExpr   *function;
	const IotDataOperation *operation;
} Candidate;

static set_join_pathlist_hook_type previous_join_hook;
static set_rel_pathlist_hook_type previous_rel_hook;
static shmem_request_hook_type previous_request_hook;

static Plan *make_plan(PlannerInfo *root, RelOptInfo *join, CustomPath *path,
					   List *tlist, List *clauses, List *plans);

static const CustomPathMethods path_methods = {
	.CustomName = IOTDATA_JOIN_NAME,
	.PlanCustomPath = make_plan
};

/*
 * The one function of a range table entry, and its operation, if it is a
 * reading one of ours; or else NULL.
 */
static FuncExpr *
reading_function(const RangeTblEntry *rte, const IotDataOperation **operation)
{
	RangeTblFunction *function;
	FuncExpr   *call;

	if (rte->rtekind != RTE_FUNCTION || rte->funcordinality ||
		list_length(rte->functions) != 1)
		return NULL;
	function = linitial(rte->functions);
	if (!IsA(function->funcexpr, FuncExpr))
		return NULL;
	call = (FuncExpr *) function->funcexpr;
	*operation = iotdata_join_operation(call->funcid);
	return *operation != NULL ? call : NULL;
}

/* Each scan of a function with lateral arguments costs what the first does. */
static void
correct_scan_costs(PlannerInfo *root, RelOptInfo *rel, Index rti,
				   RangeTblEntry *rte)
{
	const IotDataOperation *operation;
	ListCell   *cell;

	if (previous_rel_hook)
		previous_rel_hook(root, rel, rti, rte);
	if (bms_is_empty(rel->lateral_relids) || reading_function(rte, &operation) == NULL)
		return;
	foreach(cell, rel->pathlist)
	{
		Path	   *path = lfirst(cell);

		/* what cost_rescan counts again is the total without the startup */
		if (path->pathtype == T_FunctionScan)
			path->startup_cost = 0;
	}
}

/*
 * Is there a clause that depends on no row? From 17 on PostgreSQL checks it
 * above the join; before, it has not asked for our paths then since 15.4, and
 * would not check it.
 */
static bool
has_unchecked_clause(List *clauses)
{
	ListCell   *cell;

	foreach(cell, clauses)
	{
		if (!IOTDATA_CUSTOM_JOIN_GATES && lfirst_node(RestrictInfo, cell)->pseudoconstant)
			return true;
	}
	return false;
}

/* The arguments that can differ from row to row. */
static List *
varying_arguments(PlannerInfo *root, FuncExpr *function)
{
	List	   *varying = NIL;
	ListCell   *cell;

	foreach(cell, function->args)
	{
		if (!bms_is_empty(pull_varnos(root, lfirst(cell))))
			varying = lappend(varying, lfirst(cell));
	}
	return varying;
}

static void
set_costs(PlannerInfo *root, const Candidate *candidate, Path *path,
		  const Path *outer, List *clauses)
{
	QualCost	call = {0};
	QualCost	checks;
	double		rows = clamp_row_est(outer->rows);
	List	   *varying = varying_arguments(root, candidate->function);
	double		calls = varying == NIL ? 1 :
		estimate_num_groups(root, varying, rows, NULL, NULL);

	add_function_cost(root, candidate->function->funcid,
					  (Node *) candidate->function, &call);
	cost_qual_eval(&checks, clauses, root);

	/*
	 * Half of what a call costs a nested loop. In truth it is less by far,
	 * but what many calls take is decided by the service's quota, however
	 * many are made at once; and it is to stay much dearer than a row of
	 * another join, which may spare it.
	 */
	call.per_tuple = (call.startup + call.per_tuple) / 2;
	/* the first call counts as that of a nested loop does: not before it */
	path->startup_cost = outer->startup_cost + checks.startup;
	path->total_cost = outer->total_cost + checks.startup + calls * call.per_tuple +
		rows * (cpu_tuple_cost + cpu_operator_cost + checks.per_tuple) +
		path->rows * path->pathtarget->cost.per_tuple;
	iotdata_copy_disabled_nodes(path, outer);
}

/* Offer the join with this path as its outer side. */
static void
add_batched_path(PlannerInfo *root, const Candidate *candidate, Path *outer)
{
	RelOptInfo *join = candidate->join;
	CustomPath *path = makeNode(CustomPath);
	List	   *clauses = candidate->extra->restrictlist;
	Relids		required = bms_difference(PATH_REQ_OUTER(outer), join->relids);

	if (bms_overlap(PATH_REQ_OUTER(outer), candidate->inner->relids) ||
		(!bms_is_empty(required) &&
		 !bms_overlap(required, candidate->extra->param_source_rels)))
		return;
	path->path.pathtype = T_CustomScan;
	path->path.parent = join;
	path->path.pathtarget = join->reltarget;
	path->path.param_info = get_joinrel_parampathinfo(root, join, outer,
													  candidate->inner->cheapest_total_path,
													  candidate->extra->sjinfo,
													  bms_is_empty(required) ? NULL : required,
													  &clauses);
	path->path.rows = path->path.param_info ? path->path.param_info->ppi_rows : join->rows;
	path->path.pathkeys = build_join_pathkeys(root, join, candidate->type, outer->pathkeys);
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make1(outer);
	path->custom_private = list_make5(makeInteger(candidate->type),
									  makeInteger((int) candidate->inner->relid),
									  candidate->function,
									  makeString(pstrdup(candidate->operation->name)),
									  clauses);
	iotdata_set_custom_restrictinfo(path, clauses);
	path->methods = &path_methods;
	set_costs(root, candidate, &path->path, outer, clauses);
	add_path(join, &path->path);
}

/* Can the outer side be sorted as the query's result is to be? */
static bool
is_sortable(PlannerInfo *root, RelOptInfo *outer)
{
	ListCell   *cell;

	foreach(cell, root->query_pathkeys)
	{
		if (!relation_can_be_sorted_early(root, outer,
										  lfirst_node(PathKey, cell)->pk_eclass, false))
			return false;
	}
	return root->query_pathkeys != NIL;
}

/*
 * With a LIMIT, rows that are sorted first are worth much: calls are made for
 * few of them only.
 */
static void
add_sorted_path(PlannerInfo *root, const Candidate *candidate)
{
	Path	   *cheapest = candidate->outer->cheapest_total_path;

	if (root->tuple_fraction <= 0 || cheapest->param_info != NULL ||
		pathkeys_contained_in(root->query_pathkeys, cheapest->pathkeys) ||
		!is_sortable(root, candidate->outer))
		return;
	add_batched_path(root, candidate,
					 (Path *) create_sort_path(root, candidate->outer, cheapest,
											   root->query_pathkeys, -1.0));
}

/*
 * Has the relation columns that stand for different ones of each partition (of
 * a table that is updated)? Only Append and its like know what to do with them.
 */
static bool
has_row_identity(const RelOptInfo *rel)
{
	ListCell   *cell;

	foreach(cell, rel->reltarget->exprs)
	{
		const Node *node = lfirst(cell);

		if (IsA(node, Var) && ((const Var *) node)->varno == ROWID_VAR)
			return true;
	}
	return false;
}

static bool
is_batchable(JoinType type)
{
	return type == JOIN_INNER || type == JOIN_LEFT || type == JOIN_SEMI ||
		type == JOIN_ANTI;
}

static void
add_batched_paths(PlannerInfo *root, RelOptInfo *join, RelOptInfo *outer,
				  RelOptInfo *inner, JoinType type, JoinPathExtraData *extra)
{
	Candidate	candidate = {join, outer, inner, type, extra, NULL, NULL};
	ListCell   *cell;

	if (previous_join_hook)
		previous_join_hook(root, join, outer, inner, type, extra);
	if (!iotdata_batch_joins || !is_batchable(type) || iotdata_is_grouped(join) ||
		inner->reloptkind != RELOPT_BASEREL ||
		bms_is_empty(inner->lateral_relids) ||
		!bms_is_subset(inner->lateral_relids, outer->relids))
		return;
	candidate.function = reading_function(planner_rt_fetch(inner->relid, root),
										  &candidate.operation);
	/* what an argument does beside giving its value is not done ahead */
	if (candidate.function == NULL ||
		contain_volatile_functions((Node *) candidate.function->args) ||
		has_row_identity(outer) || has_unchecked_clause(extra->restrictlist))
		return;
	foreach(cell, outer->pathlist)
		add_batched_path(root, &candidate, lfirst(cell));
	add_sorted_path(root, &candidate);
}

/* ---- from the path to the plan ---- */

/* How many outer rows the first batch has; 0: all will be wanted. */
static int
first_batch(const PlannerInfo *root)
{
	if (root->tuple_fraction <= 0)
		return 0;
	if (root->tuple_fraction < 1)
		return FIRST_BATCH;
	return (int) Min(root->tuple_fraction, iotdata_max_concurrency);
}

/*
 * What was found out for the path is not found out again: the planner may have
 * run a function meanwhile that changed the catalogs.
 */
static Plan *
make_plan(PlannerInfo *root, RelOptInfo *join, CustomPath *path, List *tlist,
		  List *clauses, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	JoinType	type = intVal(list_nth(path->custom_private, PATH_JOIN_TYPE));
	Index		relid = intVal(list_nth(path->custom_private, PATH_RELID));
	IotDataJoinClauses divided = iotdata_join_clauses(root, join, type,
													  find_base_rel(root, (int) relid),
													  list_nth(path->custom_private, PATH_CLAUSES));
	IotDataColumns *columns;
	List	   *filter;

	columns = iotdata_columns_create(root, relid, linitial(plans),
									 path->path.param_info ? path->path.param_info->ppi_req_outer : NULL);
	iotdata_columns_need(columns, (Node *) tlist);
	/* a projection above may put a target list of its own in this one's place */
	iotdata_columns_need(columns, (Node *) join->reltarget->exprs);
	scan->scan.plan.qual = iotdata_columns_replace(columns, divided.others);
	filter = iotdata_columns_inline(columns, divided.filter);
	scan->custom_exprs = iotdata_columns_replace(columns,
												 list_make3(list_nth(path->custom_private, PATH_FUNCTION),
															divided.condition, filter));
	scan->custom_exprs = lappend(scan->custom_exprs, iotdata_columns_inner(columns));
	scan->scan.plan.targetlist = tlist;
	scan->custom_scan_tlist = columns->tlist;
	scan->custom_private = list_make5(makeInteger(type),
									  makeInteger(bms_member_index(join->relids, (int) relid)),
									  makeInteger(first_batch(root)),
									  columns->sources, columns->numbers);
	scan->custom_private = lappend(scan->custom_private,
								   list_nth(path->custom_private, PATH_OPERATION));
	scan->custom_plans = plans;
	scan->flags = path->flags;
	scan->methods = &iotdata_join_scan_methods;
	return &scan->scan.plan;
}

static void
set_hooks(void)
{
	previous_join_hook = set_join_pathlist_hook;
	set_join_pathlist_hook = add_batched_paths;
	previous_rel_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = correct_scan_costs;
}

/* Preloading: all libraries have been loaded. */
static void
set_hooks_last(void)
{
	if (previous_request_hook)
		previous_request_hook();
	set_hooks();
}

/*
 * Some libraries (Citus is one) set the planner's hooks and do not call those
 * that were there before. Ours do: the last one to set them has everybody's
 * called.
 */
void
iotdata_join_init(void)
{
	RegisterCustomScanMethods(&iotdata_join_scan_methods);
	if (!process_shared_preload_libraries_in_progress)
	{
		set_hooks();
		return;
	}
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = set_hooks_last;
}
