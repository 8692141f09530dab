/*
 * guard.h
 *		Which rows of iotdata.outbox were queued here.
 */
#ifndef IOTDATA_OUTBOX_GUARD_H
#define IOTDATA_OUTBOX_GUARD_H

#include "postgres.h"

/*
 * Rows that SQL of our own writes are as good as queued ones: "trusted", until
 * it is set back. Returns what it was before. Set it back in PG_FINALLY.
 */
extern bool iotdata_outbox_trust(bool trusted);

#endif							/* IOTDATA_OUTBOX_GUARD_H */
