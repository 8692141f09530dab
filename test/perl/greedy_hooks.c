/*
 * greedy_hooks.c
 *		A library that sets the planner's hooks for paths, and does not call what
 *		was there before.
 *
 * Built by join_other_libraries.pl.
 */
#include "postgres.h"

#include "fmgr.h"
#include "optimizer/paths.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

PG_FUNCTION_INFO_V1(greedy_joins);

static int64 joins;

static void
see_join(PlannerInfo *root, RelOptInfo *join, RelOptInfo *outer,
		 RelOptInfo *inner, JoinType type, JoinPathExtraData *extra)
{
	joins++;
}

static void
see_rel(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
}

void
_PG_init(void)
{
	set_join_pathlist_hook = see_join;
	set_rel_pathlist_hook = see_rel;
}

/* How often this session's planner has told it of a join. */
Datum
greedy_joins(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(joins);
}
