/*
 * queue.h
 *		What was asked about and not handed on yet, in its order.
 *
 * Lookups end in any order, but rows are handed on in theirs. Who asks about a
 * stream of rows, and has a struct for one that begins with IotDataQueued:
 *
 *		for (;;)
 *		{
 *			while (more && !iotdata_queue_is_full(queue) && iotdata_lookups_have_room(lookups))
 *			{
 *				row = iotdata_queue_add(queue);
 *				row->queued.lookup = iotdata_lookups_ask(lookups, values);
 *			}
 *			if (iotdata_queue_is_empty(queue))
 *				break;
 *			if (!iotdata_queue_is_first_ready(queue))
 *				iotdata_lookups_wait(lookups);
 *			else
 *			{
 *				... iotdata_queue_first(queue) ...
 *				iotdata_queue_remove_first(queue);
 *			}
 *		}
 */
#ifndef IOTDATA_LOOKUP_QUEUE_H
#define IOTDATA_LOOKUP_QUEUE_H

#include "postgres.h"

#include "lookup/lookup.h"

typedef struct IotDataQueue IotDataQueue;

/* What a row of any queue begins with. */
typedef struct IotDataQueued
{
	IotDataLookup *lookup;		/* NULL: it needs no answer */
} IotDataQueued;

/*
 * A queue, in the current memory context, of rows of "row_size" bytes. It takes
 * as many rows as may wait behind a slow answer: some for each call that may be
 * under way, so that a slow one keeps few others waiting, and they do not pile
 * up behind it.
 */
extern IotDataQueue *iotdata_queue_create(size_t row_size);

/* How many rows it takes. */
extern int	iotdata_queue_size(const IotDataQueue *queue);

extern bool iotdata_queue_is_empty(const IotDataQueue *queue);
extern bool iotdata_queue_is_full(const IotDataQueue *queue);

/*
 * A new last row, all zero, in a queue that is not full. It stays where it is
 * until it is removed.
 */
extern void *iotdata_queue_add(IotDataQueue *queue);

/* The first row; NULL when there is none. */
extern void *iotdata_queue_first(const IotDataQueue *queue);

/* Is there a first row, with nothing to wait for? */
extern bool iotdata_queue_is_first_ready(const IotDataQueue *queue);

/* Remove the first row, and release its lookup. */
extern void iotdata_queue_remove_first(IotDataQueue *queue);

#endif							/* IOTDATA_LOOKUP_QUEUE_H */
