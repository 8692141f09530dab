/*
 * queue.c
 *		What was asked about and not handed on yet, in its order: a ring.
 */
#include "postgres.h"

#include "lookup/queue.h"
#include "settings/settings.h"

/* Rows for each call that may be under way, and at least. */
#define ROWS_PER_CALL 16
#define MIN_ROWS 1024

struct IotDataQueue
{
	size_t		row_size;
	int			size;			/* rows that there is room for */
	int			first;
	int			count;
	char	   *rows;
};

IotDataQueue *
iotdata_queue_create(size_t row_size)
{
	IotDataQueue *queue = palloc(sizeof(*queue));

	Assert(row_size >= sizeof(IotDataQueued));
	queue->row_size = MAXALIGN(row_size);
	queue->size = Max(ROWS_PER_CALL * iotdata_max_concurrency, MIN_ROWS);
	queue->rows = palloc(queue->size * queue->row_size);
	queue->first = 0;
	queue->count = 0;
	return queue;
}

static void *
row_at(const IotDataQueue *queue, int place)
{
	int			number = queue->first + place;

	/* no division: this is done often */
	if (number >= queue->size)
		number -= queue->size;
	return queue->rows + number * queue->row_size;
}

int
iotdata_queue_size(const IotDataQueue *queue)
{
	return queue->size;
}

bool
iotdata_queue_is_empty(const IotDataQueue *queue)
{
	return queue->count == 0;
}

bool
iotdata_queue_is_full(const IotDataQueue *queue)
{
	return queue->count == queue->size;
}

void *
iotdata_queue_add(IotDataQueue *queue)
{
	Assert(queue->count < queue->size);
	return memset(row_at(queue, queue->count++), 0, queue->row_size);
}

void *
iotdata_queue_first(const IotDataQueue *queue)
{
	return queue->count > 0 ? row_at(queue, 0) : NULL;
}

bool
iotdata_queue_is_first_ready(const IotDataQueue *queue)
{
	const IotDataQueued *first = iotdata_queue_first(queue);

	return first != NULL && (first->lookup == NULL || first->lookup->ended);
}

void
iotdata_queue_remove_first(IotDataQueue *queue)
{
	const IotDataQueued *first = iotdata_queue_first(queue);

	Assert(first != NULL);
	if (first->lookup != NULL)
		iotdata_lookup_release(first->lookup);
	queue->first = (queue->first + 1) % queue->size;
	queue->count--;
}
