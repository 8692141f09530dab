/*
 * setter.h
 *		Who has given a setting its value.
 */
#ifndef IOTDATA_SETTINGS_SETTER_H
#define IOTDATA_SETTINGS_SETTER_H

#include "postgres.h"

/*
 * The role that has set iotdata.server to what it is. What somebody has set for
 * a role counts as that role's. InvalidOid: somebody who decides for everybody.
 */
extern Oid	iotdata_setter_of_server(void);

#endif							/* IOTDATA_SETTINGS_SETTER_H */
