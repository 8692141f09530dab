/*
 * transaction.h
 *		The short transactions in which the outbox is read and written.
 */
#ifndef IOTDATA_OUTBOX_TRANSACTION_H
#define IOTDATA_OUTBOX_TRANSACTION_H

#include "postgres.h"

/*
 * Begin and end one, with SPI and an active snapshot. In a procedure, which has
 * connected to SPI for that ("in_procedure"), its own transaction is the one
 * that is committed; in a background worker there is none in between.
 */
extern void iotdata_outbox_begin(bool in_procedure);
extern void iotdata_outbox_commit(bool in_procedure);

/*
 * Call "write" with "arg" in a subtransaction, as the owner of the outbox's
 * tables, and with settings that make statements use the indexes and find
 * nobody else's objects. Returns false with *error in the current memory
 * context, and nothing done, when that failed; a cancel or a shutdown is
 * raised.
 */
extern bool iotdata_outbox_try(void (*write) (void *arg), void *arg, ErrorData **error);

/* The same without the subtransaction: errors are raised. */
extern void iotdata_outbox_as_owner(void (*write) (void *arg), void *arg);

#endif							/* IOTDATA_OUTBOX_TRANSACTION_H */
