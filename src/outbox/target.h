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
 * The target that "server" (NULL: the default) is for messages that "owner"
 * queued. Returns false with "failure" filled, in the current memory context.
 */
extern bool iotdata_outbox_target(const char *server, Oid owner,
								  IotDataTarget *target,
								  IotDataFailure *failure);

#endif							/* IOTDATA_OUTBOX_TARGET_H */
