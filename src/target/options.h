/*
 * options.h
 *		The options of servers and user mappings: their names and values.
 */
#ifndef IOTDATA_TARGET_OPTIONS_H
#define IOTDATA_TARGET_OPTIONS_H

#include "postgres.h"

#include "error/failure.h"
#include "nodes/pg_list.h"

/*
 * Check the options (DefElems) that an object of "catalog" is to have. Returns
 * false with "failure" filled: HV00D for a name that is not an option's, 22023
 * for a value that is not valid or options that do not fit together, 42501 for
 * one that only superusers may set. No message has the value of a secret.
 */
extern bool iotdata_options_check(List *options, Oid catalog, IotDataFailure *failure);

/* The value of an option; NULL when it is not set. */
extern const char *iotdata_options_get(List *options, const char *name);

/* That of a boolean one; "otherwise" when it is not set. */
extern bool iotdata_options_get_boolean(List *options, const char *name, bool otherwise);

/* That of a whole number; -1 when it is not set. */
extern int	iotdata_options_get_number(List *options, const char *name);

/*
 * The options in a column of a catalog, in the current memory context, with no
 * copy of them but the list's own, which the second function clears.
 */
extern List *iotdata_options_read(Datum options);
extern void iotdata_options_clear(List *options);

#endif							/* IOTDATA_TARGET_OPTIONS_H */
