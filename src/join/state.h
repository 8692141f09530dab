/*
 * state.h
 *		A batched lookup while it runs: what exec.c, check.c, ahead.c, ask.c,
 *		evaluate.c, tuple.c and explain.c share.
 */
#ifndef IOTDATA_JOIN_STATE_H
#define IOTDATA_JOIN_STATE_H

#include "postgres.h"

#include "join/join.h"
#include "lookup/lookup.h"
#include "lookup/queue.h"

/* What becomes of a row of the outer plan. */
typedef enum IotDataJoinFate
{
	IOTDATA_JOIN_POSTPONED,		/* not known before its turn */
	IOTDATA_JOIN_EXCLUDED,		/* the condition does not hold: no row joins
								 * it */
	IOTDATA_JOIN_NOT_ASKED,		/* there is nothing to ask */
	IOTDATA_JOIN_ASKED
} IotDataJoinFate;

/* A row of the outer plan that was not left yet. */
typedef struct OuterRow
{
	IotDataQueued queued;
	MinimalTuple tuple;
	IotDataJoinFate fate;
	bool		is_condition_open;	/* it is to be checked with each row of
									 * the function */
	struct varlena *subject;	/* for a result; NULL: not needed */
} OuterRow;

typedef struct BatchedLookupState
{
	CustomScanState scan;		/* must be first */

	/* the plan */
	PlanState  *outer;
	FuncExpr   *function;
	const IotDataOperation *operation;
	IotDataArgumentTypes types; /* of the arguments */
	JoinType	type;
	int			ncolumns;
	IotDataColumnSource *sources;
	int		   *numbers;
	ExprState  *filter;
	List	   *inner;			/* ExprStates */

	/* evaluating what is asked for */
	MemoryContext expressions;	/* these two and what they remember: */
	List	   *arguments;		/* ExprStates */
	ExprState  *condition;
	List	   *params;			/* IntList: PARAM_EXECs in them */
	bool		may_condition_fail; /* in a way that can be caught */
	bool		may_fail;		/* that, or the arguments */
	ExprContext *asking;
	NullableDatum *values;		/* of the arguments, in its per-tuple memory */

	/* asking */
	IotDataLookups *lookups;	/* NULL: nothing was asked yet */

	/* reading ahead */
	MemoryContext rows;
	IotDataQueue *queue;		/* of OuterRow */
	Size		memory;			/* of the queue's rows */
	int64		nread;			/* rows of the outer plan, in all scans */
	bool		finished;		/* the outer plan has no more rows */
	bool		is_held_up;		/* the queue's last row is postponed */
	int64		batch;			/* rows of this batch; 0: no batches */
	int64		allowed;		/* rows of it that were not read yet */

	/* handing on */
	OuterRow   *current;		/* the queue's first row, or NULL */
	TupleTableSlot *outer_slot; /* with its tuple */
	TupleTableSlot *recheck_slot;	/* a row of the function that is given */
	int			next;			/* row of the current lookup */
	bool		matched;
	TupleDesc	columns;		/* of the function */
	bool	   *needed;			/* each of them: is it in the tuple? */
	TupleDesc	answer;			/* and of what is looked up: the same, or a
								 * part of them */
	Datum	   *function_values;	/* the current row of the function */
	bool	   *function_nulls;
	int64		filtered;		/* rows that the join filter removed */
} BatchedLookupState;

/*
 * check.c: is the function, with its arguments and its row, still what the plan
 * takes it for? Then say what it is: "operation", "types", "columns" and
 * "answer". Raises 55000 when it is not.
 */
extern void iotdata_join_check(BatchedLookupState *state);

/*
 * tuple.c: fill the scan's tuple from a row of the outer plan and,
 * "with_function", the function's current one; without, its columns are NULL.
 * So are those of inner expressions.
 */
extern void iotdata_join_fill_tuple(BatchedLookupState *state,
									TupleTableSlot *outer, bool with_function,
									ExprContext *context);

/* The same: fill the columns of inner expressions, too. */
extern void iotdata_join_fill_expressions(BatchedLookupState *state,
										  ExprContext *context);

/* evaluate.c: make ready the condition and the arguments. */
extern void iotdata_join_begin_evaluating(BatchedLookupState *state);

/*
 * The same: evaluate them for a row of the outer plan, whose tuple is in
 * "outer", and set its fate. Raises whatever the arguments raise.
 */
extern void iotdata_join_evaluate(BatchedLookupState *state, OuterRow *row,
								  TupleTableSlot *outer);

/*
 * The same, for a row that is read ahead: returns false when there was an
 * error, which comes again if the row is evaluated in its turn.
 */
extern bool iotdata_join_evaluate_ahead(BatchedLookupState *state, OuterRow *row,
										TupleTableSlot *outer);

/*
 * ask.c: ask about a row of the outer plan whose turn it is, with its tuple in
 * "outer".
 */
extern void iotdata_join_ask(BatchedLookupState *state, OuterRow *row,
							 TupleTableSlot *outer);

/*
 * The same for a row that is read ahead, if that is possible: otherwise it is
 * postponed.
 */
extern void iotdata_join_ask_ahead(BatchedLookupState *state, OuterRow *row,
								   TupleTableSlot *outer);

/* ahead.c: make ready for reading; for a rescan, too. */
extern void iotdata_join_begin_reading(BatchedLookupState *state);

/*
 * The same: the next row of the outer plan becomes the current one when its
 * answer is there; raises the lookup's failure. Returns false after the last.
 */
extern bool iotdata_join_take_row(BatchedLookupState *state);

/* The same: the current row is done with. */
extern void iotdata_join_leave_row(BatchedLookupState *state);

#endif							/* IOTDATA_JOIN_STATE_H */
