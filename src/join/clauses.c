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
 * In the order in which they are to be checked: PostgreSQL's own function for
 * that is not to be had. Equal ones stay as they are.
 */
static List *
in_order(PlannerInfo *root, List *restrictions)
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

static void
divide(PlannerInfo *root, IotDataJoinClauses *clauses, List *pairs, int function)
{
	ListCell   *cell;

	foreach(cell, pairs)
	{
		if (is_condition(root, lfirst(cell), function))
			clauses->condition = lappend(clauses->condition, lfirst(cell));
		else
			clauses->filter = lappend(clauses->filter, lfirst(cell));
	}
}

IotDataJoinClauses
iotdata_join_clauses(PlannerInfo *root, RelOptInfo *join, JoinType type,
					 RelOptInfo *function, List *restrictions)
{
	IotDataJoinClauses clauses = {NIL, NIL, NIL};
	List	   *own = in_order(root, function->baserestrictinfo);
	List	   *ordered = in_order(root, restrictions);
	List	   *pairs;

	/* PostgreSQL would check those that depend on no row above a scan */
	clauses.condition = extract_actual_clauses(own, true);
	if (IS_OUTER_JOIN(type))
		extract_actual_join_clauses(ordered, join->relids, &pairs, &clauses.others);
	else
		pairs = extract_actual_clauses(ordered, false);
	/* the function's own come first, as a scan would check them */
	divide(root, &clauses, extract_actual_clauses(own, false), (int) function->relid);
	divide(root, &clauses, pairs, (int) function->relid);
	return clauses;
}
