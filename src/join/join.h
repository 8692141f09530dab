/*
 * join.h
 *		Batched lookups: a join with a reading function asks about many rows at
 *		once. plan.c offers it to the planner, exec.c runs it, explain.c shows it.
 */
#ifndef IOTDATA_JOIN_H
#define IOTDATA_JOIN_H

#include "postgres.h"

#include "executor/executor.h"
#include "nodes/extensible.h"
#include "request/operation.h"

/* What a batched lookup is called in EXPLAIN and in serialized plans. */
#define IOTDATA_JOIN_NAME "IoT Batched Lookup"

/* Put the hooks in place. Called once, at load. */
extern void iotdata_join_init(void);

/* ---- between the files of join/ ---- */

/* Where a column of the scan's tuple comes from. */
typedef enum IotDataColumnSource
{
	IOTDATA_COLUMN_OUTER,		/* column "number" (from 1) of the outer plan */
	IOTDATA_COLUMN_FUNCTION,	/* column "number" (from 1) of the function */
	IOTDATA_COLUMN_ROW,			/* the function's whole row */
	IOTDATA_COLUMN_EXPRESSION	/* inner expression "number" (from 0) */
} IotDataColumnSource;

/*
 * A CustomScan's custom_exprs, by position. "Inner expressions" are those that
 * are computed from a row of the function before a left join makes it NULL.
 */
typedef enum IotDataJoinExpressions
{
	IOTDATA_JOIN_FUNCTION,		/* the FuncExpr */
	IOTDATA_JOIN_CONDITION,		/* what must hold for an outer row to be asked
								 * about */
	IOTDATA_JOIN_FILTER,		/* what a row of the function must fulfil,
								 * before inner expressions are computed */
	IOTDATA_JOIN_INNER			/* the inner expressions */
} IotDataJoinExpressions;

/* Its custom_private, by position. */
typedef enum IotDataJoinPrivate
{
	IOTDATA_JOIN_TYPE,			/* Integer: inner, left, semi or anti */
	IOTDATA_JOIN_MEMBER,		/* Integer: which member of custom_relids the
								 * function is */
	IOTDATA_JOIN_FIRST_BATCH,	/* Integer: outer rows at first; 0: no limit */
	IOTDATA_JOIN_SOURCES,		/* IntList: of each column, its
								 * IotDataColumnSource */
	IOTDATA_JOIN_NUMBERS,		/* IntList: and its number */
	IOTDATA_JOIN_OPERATION		/* String: the name of the function's
								 * operation */
} IotDataJoinPrivate;

/* The operation of a reading function; NULL when it is not one of ours. */
extern const IotDataOperation *iotdata_join_operation(Oid function);

/* The methods that plan.c puts into a CustomScan. */
extern const CustomScanMethods iotdata_join_scan_methods;

/*
 * When a row of the query was changed by another session, the row is checked
 * again (EvalPlanQual) with the function's row as it was. Is that what happens?
 */
extern bool iotdata_join_is_recheck(const CustomScanState *node);

/*
 * If so, put the function's row into "slot"; returns false when there was none.
 */
extern bool iotdata_join_recheck_row(const CustomScanState *node, TupleTableSlot *slot);

extern void iotdata_join_explain(CustomScanState *node, List *ancestors,
								 struct ExplainState *es);

#endif							/* IOTDATA_JOIN_H */
