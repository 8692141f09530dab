/*
 * clauses.c
 *		The clauses of a batched lookup, by when they are checked.
 */
#include "postgres.h"

#include "join/clauses.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"

/* May a clause be checked before another one, by what each may see and costs? */
static bool
is_before(PlannerInfo *root, RestrictInfo *a, RestrictInfo *b)
{
	QualCost	left;
	QualCost	right;

	if (a->security_level != b->security_level)
		return a->security_level < b->security_level;
	cost_qual_eval_node(&left, (Node *) a, root);
	cost_qual_eval_node(&right, (Node *) b, root);
	return left.per_tuple < right.per_tuple;
}

/*
 * Sort them into the order in which they are checked; equal ones stay as they
 * are. PostgreSQL's own function for that is static.
 */
static List *
sort_clauses(PlannerInfo *root, List *restrictions)
{
	List	   *sorted = NIL;
	ListCell   *cell;

	foreach(cell, restrictions)
	{
		int			place = list_length(sorted);

		while (place > 0 && is_before(root, lfirst(cell), list_nth(sorted, place - 1)))
			place--;
		sorted = list_insert_nth(sorted, place, lfirst(cell));
	}
	return sorted;
}

/* Does a clause depend on the outer row alone, and can it be checked ahead? */
static bool
is_condition(PlannerInfo *root, Node *clause, int function)
{
	return !bms_is_member(function, pull_varnos(root, clause)) &&
		!contain_volatile_functions(clause) && !contain_subplans(clause);
}

/* Add sorted clauses to the condition and to the filter. */
static void
add_clauses(PlannerInfo *root, IotDataJoinClauses *clauses,
			List *restrictions, int function)
{
	ListCell   *cell;

	foreach(cell, extract_actual_clauses(sort_clauses(root, restrictions), false))
	{
		if (is_condition(root, lfirst(cell), function))
			clauses->condition = lappend(clauses->condition, lfirst(cell));
		else
			clauses->filter = lappend(clauses->filter, lfirst(cell));
	}
}

/*
 * The clauses of the function's relation are checked first, and with them those
 * of the join that a scan of the function would check, because it knows what
 * they need: so a WHERE of a sub-select protects its other expressions, whether
 * it mentions the outer row or not.
 */
IotDataJoinClauses
iotdata_join_clauses(PlannerInfo *root, RelOptInfo *join, JoinType type,
					 RelOptInfo *function, List *restrictions)
{
	IotDataJoinClauses clauses = {NIL, NIL, NIL};
	Relids		known = bms_union(function->relids, function->lateral_relids);
	List	   *scan = list_copy(function->baserestrictinfo);
	List	   *joining = NIL;
	List	   *others = NIL;
	ListCell   *cell;

	foreach(cell, restrictions)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);

		if (IS_OUTER_JOIN(type) && RINFO_IS_PUSHED_DOWN(clause, join->relids))
			others = lappend(others, clause);
		else if (join_clause_is_movable_into(clause, function->relids, known))
			scan = lappend(scan, clause);
		else
			joining = lappend(joining, clause);
	}
	/* PostgreSQL would check those that depend on no row above a scan */
	clauses.condition = extract_actual_clauses(function->baserestrictinfo, true);
	add_clauses(root, &clauses, scan, (int) function->relid);
	add_clauses(root, &clauses, joining, (int) function->relid);
	clauses.others = extract_actual_clauses(sort_clauses(root, others), false);
	return clauses;
}
