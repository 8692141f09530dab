/*
 * find.h
 *		The target that a call goes to.
 */
#ifndef IOTDATA_TARGET_FIND_H
#define IOTDATA_TARGET_FIND_H

#include "postgres.h"

#include "error/failure.h"
#include "target/target.h"

/*
 * The target of a server's name, held by "holder". NULL means the server that
 * the setting names; "" means the default target. Privileges are those of the
 * current user. Returns NULL with "failure" filled, in the current memory
 * context: 42501 when the setting is one that somebody else has chosen for the
 * current user; what iotdata_target_default, iotdata_server_find and
 * iotdata_server_target fail with. As long as nothing of it is changed, a
 * target is the same one each time.
 */
extern const IotDataTarget *iotdata_target_find(const char *server, MemoryContext holder,
												IotDataFailure *failure);

/*
 * Counts the changes of servers and user mappings that the backend has heard of
 * since it found one: a target that is kept may be another one by now.
 */
extern uint64 iotdata_target_changes(void);

#endif							/* IOTDATA_TARGET_FIND_H */
