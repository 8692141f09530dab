/*
 * explain.c
 *		What EXPLAIN says of a batched lookup.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "compat.h"
#include "join/state.h"
#include "nodes/makefuncs.h"
#include "utils/ruleutils.h"

static void
show_deparsed(const char *label, Node *expression, CustomScanState *node,
			  List *ancestors, ExplainState *es)
{
	bool		prefix = list_length(es->rtable) > 1 || es->verbose;
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan,
												   ancestors);

	ExplainPropertyText(label, deparse_expression(expression, context, prefix, false), es);
}

static void
show_clauses(const char *label, List *clauses, CustomScanState *node,
			 List *ancestors, ExplainState *es)
{
	if (clauses != NIL)
		show_deparsed(label, (Node *) make_ands_explicit(clauses), node, ancestors, es);
}

static void
show_counts(const BatchedLookupState *state, bool has_filter, ExplainState *es)
{
	IotDataLookupCounts counts = {0};

	if (state->lookups != NULL)
		counts = iotdata_lookups_counts(state->lookups);
	if (has_filter)
		ExplainPropertyInteger("Rows Removed by Join Filter", NULL, state->filtered, es);
	ExplainPropertyInteger("Calls", NULL, counts.calls, es);
	ExplainPropertyInteger("Cache Hits", NULL, counts.cache_hits, es);
	ExplainPropertyInteger("Duplicates", NULL, counts.duplicates, es);
	ExplainPropertyInteger("Retries", NULL, counts.retries, es);
	if (es->timing)
		ExplainPropertyFloat("Rate Wait Time", "ms", (double) counts.rate_wait / 1000, 3, es);
}

static const char *
type_name(JoinType type)
{
	switch (type)
	{
		case JOIN_LEFT:
			return "Left";
		case JOIN_SEMI:
			return "Semi";
		case JOIN_ANTI:
			return "Anti";
		default:
			return "Inner";
	}
}

void
iotdata_join_explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	JoinType	type = intVal(list_nth(plan->custom_private, IOTDATA_JOIN_TYPE));
	List	   *filter = list_nth(plan->custom_exprs, IOTDATA_JOIN_FILTER);

	ExplainPropertyText("Join Type", type_name(type), es);
	show_deparsed("Function", list_nth(plan->custom_exprs, IOTDATA_JOIN_FUNCTION),
				  node, ancestors, es);
	show_clauses("Lookup Cond", list_nth(plan->custom_exprs, IOTDATA_JOIN_CONDITION),
				 node, ancestors, es);
	show_clauses("Join Filter", filter, node, ancestors, es);
	if (es->analyze)
		show_counts((const BatchedLookupState *) node, filter != NIL, es);
}
