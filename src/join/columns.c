/*
 * columns.c
 *		The columns of a batched lookup's tuple, while it is planned.
 */
#include "postgres.h"

#include "compat.h"
#include "join/columns.h"
#include "join/join.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/placeholder.h"

IotDataColumns *
iotdata_columns_create(PlannerInfo *root, Index function, Plan *outer,
					   Relids parameters)
{
	IotDataColumns *columns = palloc0(sizeof(*columns));

	columns->root = root;
	columns->function = function;
	columns->outer = outer;
	columns->parameters = parameters;
	return columns;
}

/* The same column, whatever outer joins have made of it? */
static bool
is_same(const Node *a, const Node *b)
{
	if (IsA(a, Var) && IsA(b, Var))
	{
		const Var  *left = (const Var *) a;
		const Var  *right = (const Var *) b;

		return left->varno == right->varno && left->varattno == right->varattno &&
			left->varlevelsup == right->varlevelsup;
	}
	if (IsA(a, PlaceHolderVar) && IsA(b, PlaceHolderVar))
		return ((const PlaceHolderVar *) a)->phid == ((const PlaceHolderVar *) b)->phid;
	return false;
}

/* The entry of a target list for a Var or PlaceHolderVar, or NULL. */
static TargetEntry *
find_entry(List *tlist, const Node *node)
{
	ListCell   *cell;

	foreach(cell, tlist)
	{
		TargetEntry *entry = lfirst(cell);

		if (is_same((const Node *) entry->expr, node))
			return entry;
	}
	return NULL;
}

static void
add_column(IotDataColumns *columns, const Node *node,
		   IotDataColumnSource source, int number)
{
	columns->tlist = lappend(columns->tlist,
							 makeTargetEntry((Expr *) copyObject(node),
											 (AttrNumber) (list_length(columns->tlist) + 1),
											 NULL, false));
	columns->sources = lappend_int(columns->sources, source);
	columns->numbers = lappend_int(columns->numbers, number);
}

static void
need_var(IotDataColumns *columns, const Var *var)
{
	TargetEntry *entry;

	if (var->varno == (int) columns->function)
	{
		add_column(columns, (const Node *) var, var->varattno == 0 ?
				   IOTDATA_COLUMN_ROW : IOTDATA_COLUMN_FUNCTION, var->varattno);
		return;
	}

	/*
	 * what is not there becomes a parameter; or else PostgreSQL says that it
	 * is missing
	 */
	entry = find_entry(columns->outer->targetlist, (const Node *) var);
	if (entry != NULL)
		add_column(columns, (const Node *) var, IOTDATA_COLUMN_OUTER, entry->resno);
}

static Relids
computed_at(const IotDataColumns *columns, PlaceHolderVar *placeholder)
{
	return iotdata_find_placeholder_info(columns->root, placeholder)->ph_eval_at;
}

/* Is it computed from a row of the function, before the join? */
static bool
is_inner(const IotDataColumns *columns, PlaceHolderVar *placeholder)
{
	Relids		relids = computed_at(columns, placeholder);

	return bms_membership(relids) == BMS_SINGLETON &&
		bms_is_member((int) columns->function, relids);
}

/*
 * An inner expression may have others in it, too: as columns, they would have
 * to be computed in the right order.
 */
static Node *
inline_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, PlaceHolderVar) && is_inner(context, (PlaceHolderVar *) node))
		return inline_mutator((Node *) ((PlaceHolderVar *) node)->phexpr, context);
	return expression_tree_mutator(node, inline_mutator, context);
}

List *
iotdata_columns_inline(IotDataColumns *columns, List *clauses)
{
	return (List *) inline_mutator((Node *) clauses, columns);
}

/* Returns whether its expression is to be computed from other columns. */
static bool
need_placeholder(IotDataColumns *columns, PlaceHolderVar *placeholder)
{
	const Node *node = (const Node *) placeholder;
	TargetEntry *entry = find_entry(columns->outer->targetlist, node);

	if (entry != NULL)
		add_column(columns, node, IOTDATA_COLUMN_OUTER, entry->resno);
	else if (is_inner(columns, placeholder))
	{
		add_column(columns, node, IOTDATA_COLUMN_EXPRESSION,
				   list_length(columns->inner));
		columns->inner = lappend(columns->inner,
								 inline_mutator((Node *) placeholder->phexpr, columns));
	}
	else
		return !bms_is_subset(computed_at(columns, placeholder), columns->parameters);
	return false;
}

static bool
need_walker(Node *node, void *context)
{
	IotDataColumns *columns = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		if (find_entry(columns->tlist, node) == NULL)
			need_var(columns, (Var *) node);
		return false;
	}
	if (IsA(node, PlaceHolderVar) &&
		(find_entry(columns->tlist, node) != NULL ||
		 !need_placeholder(columns, (PlaceHolderVar *) node)))
		return false;
	return expression_tree_walker(node, need_walker, context);
}

void
iotdata_columns_need(IotDataColumns *columns, Node *node)
{
	need_walker(node, columns);
}

static Node *
replace_mutator(Node *node, void *context)
{
	IotDataColumns *columns = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) || IsA(node, PlaceHolderVar))
	{
		TargetEntry *entry = find_entry(columns->tlist, node);

		if (entry != NULL)
			return (Node *) copyObject(entry->expr);
		if (IsA(node, Var))
			return copyObject(node);
	}
	return expression_tree_mutator(node, replace_mutator, context);
}

List *
iotdata_columns_replace(IotDataColumns *columns, List *list)
{
	need_walker((Node *) list, columns);
	return (List *) replace_mutator((Node *) list, columns);
}

List *
iotdata_columns_inner(IotDataColumns *columns)
{
	return iotdata_columns_replace(columns, columns->inner);
}
