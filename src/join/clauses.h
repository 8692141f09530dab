/*
 * clauses.h
 *		The clauses of a batched lookup, by when they are checked.
 */
#ifndef IOTDATA_JOIN_CLAUSES_H
#define IOTDATA_JOIN_CLAUSES_H

#include "postgres.h"

#include "nodes/pathnodes.h"

/* Lists of expressions. */
typedef struct IotDataJoinClauses
{
	List	   *condition;		/* before an outer row is asked about */
	List	   *filter;			/* for a pair of rows, before any expression
								 * over the function's row is computed */
	List	   *others;			/* for a row of the join's result */
} IotDataJoinClauses;

/*
 * Divide the clauses of a join ("restrictions", RestrictInfos) and of the
 * function's own relation. Where the condition does not hold, no call is made
 * and no row of the function joins.
 */
extern IotDataJoinClauses iotdata_join_clauses(PlannerInfo *root,
											   RelOptInfo *join, JoinType type,
											   RelOptInfo *function,
											   List *restrictions);

#endif							/* IOTDATA_JOIN_CLAUSES_H */
