/*
 * template.h
 *		A message as a trigger's arguments say it, to be filled in by rows.
 */
#ifndef IOTDATA_OUTBOX_TEMPLATE_H
#define IOTDATA_OUTBOX_TEMPLATE_H

#include "postgres.h"

#include "access/htup.h"
#include "outbox/queue.h"
#include "utils/reltrigger.h"

typedef struct IotDataMessageTemplate IotDataMessageTemplate;

/*
 * The template of a trigger of a table with these columns, in the current
 * memory context; "columns" is to live as long. Raises 22023 when the
 * arguments make no sense, 42703 for a column that is not there, and what the
 * input functions of the options' types raise.
 */
extern const IotDataMessageTemplate *iotdata_template_parse(const Trigger *trigger,
															TupleDesc columns);

/*
 * The message for a row, but for its owner. It points to the row and the
 * template, and to what is allocated in the current memory context. Raises
 * 22023 when a value cannot be a level of a topic.
 */
extern void iotdata_template_fill(const IotDataMessageTemplate *template, HeapTuple row,
								  IotDataQueued *message);

#endif							/* IOTDATA_OUTBOX_TEMPLATE_H */
