/*
 * columns.h
 *		The columns of a batched lookup's tuple, while it is planned.
 */
#ifndef IOTDATA_JOIN_COLUMNS_H
#define IOTDATA_JOIN_COLUMNS_H

#include "postgres.h"

#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"

/*
 * The tuple has a column for each Var and PlaceHolderVar that is needed of
 * either side, and the lists say where each comes from. Allocated in the
 * current memory context, as all of a plan is.
 */
typedef struct IotDataColumns
{
	PlannerInfo *root;
	Index		function;		/* its index of the range table */
	Plan	   *outer;
	Relids		parameters;		/* relations whose Vars become parameters */
	List	   *tlist;			/* custom_scan_tlist */
	List	   *sources;		/* IntList of IotDataColumnSource */
	List	   *numbers;		/* IntList: what they mean by their number */
	List	   *inner;			/* the inner expressions */
} IotDataColumns;

extern IotDataColumns *iotdata_columns_create(PlannerInfo *root, Index function,
											  Plan *outer, Relids parameters);

/*
 * Make columns for what an expression, or a list of them, needs. What is
 * wanted first decides how a Var is marked as nullable (from 16 on), so the
 * plan's target list comes first.
 */
extern void iotdata_columns_need(IotDataColumns *columns, Node *node);

/*
 * The same, and return a copy of the list in which each Var and PlaceHolderVar
 * is marked as the column's.
 */
extern List *iotdata_columns_replace(IotDataColumns *columns, List *list);

/*
 * A copy of a list of clauses in which inner expressions take the places of
 * their PlaceHolderVars, so that the clauses compute what they need themselves:
 * they are checked before the columns of inner expressions are filled.
 */
extern List *iotdata_columns_inline(IotDataColumns *columns, List *clauses);

/*
 * What the inner expressions are, with columns for what they need. No column
 * may be asked for after that.
 */
extern List *iotdata_columns_inner(IotDataColumns *columns);

#endif							/* IOTDATA_JOIN_COLUMNS_H */
