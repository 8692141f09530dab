/*
 * worker.h
 *		The background worker that sends the messages of one database.
 */
#ifndef IOTDATA_OUTBOX_WORKER_H
#define IOTDATA_OUTBOX_WORKER_H

#include "postgres.h"

#include "shared/outbox_slots.h"

/* The argument that a worker for this place is started with. */
extern Datum iotdata_outbox_worker_argument(IotDataOutboxPost post);

#endif							/* IOTDATA_OUTBOX_WORKER_H */
