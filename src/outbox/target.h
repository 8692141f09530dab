/*
 * target.h
 *		Where messages of the outbox go.
 */
#ifndef IOTDATA_OUTBOX_TARGET_H
#define IOTDATA_OUTBOX_TARGET_H

#include "postgres.h"

#include "error/failure.h"
#include "target/target.h"

/*
 * The target that "server" is for messages that "owner" queued, with that role's
 * privileges and user mapping, held by "holder". Returns NULL with "failure"
 * filled as iotdata_target_find does. Needs a transaction.
 */
extern const IotDataTarget *iotdata_outbox_target(const char *server, Oid owner,
												  MemoryContext holder,
												  IotDataFailure *failure);

#endif							/* IOTDATA_OUTBOX_TARGET_H */
