/*
 * recheck.c
 *		Rows that are checked again because another session changed them.
 *
 * SELECT ... FOR UPDATE, UPDATE and MERGE run their plan a second time for such
 * a row (EvalPlanQual), with its new version in the place of the table's rows.
 * Of what cannot be locked, they take the row that the result had at first; so
 * no call is made again, as a function scan makes none.
 */
#include "postgres.h"

#include "join/join.h"

/* The function's index of the range table. */
static Index
function_index(const CustomScanState *node)
{
	const CustomScan *plan = (const CustomScan *) node->ss.ps.plan;
	int			member = intVal(list_nth(plan->custom_private, IOTDATA_JOIN_MEMBER));
	int			relid = -1;

	for (int i = 0; i <= member; i++)
		relid = bms_next_member(plan->custom_relids, relid);
	Assert(relid > 0);
	return (Index) relid;
}

bool
iotdata_join_is_recheck(const CustomScanState *node)
{
	const EPQState *recheck = node->ss.ps.state->es_epq_active;

	return recheck != NULL && recheck->relsubs_rowmark[function_index(node) - 1] != NULL;
}

bool
iotdata_join_recheck_row(const CustomScanState *node, TupleTableSlot *slot)
{
	if (!EvalPlanQualFetchRowMark(node->ss.ps.state->es_epq_active,
								  function_index(node), slot))
		return false;
	slot_getallattrs(slot);
	return true;
}
