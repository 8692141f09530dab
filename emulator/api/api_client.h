/*
 * api_client.h
 *	  What the operations on one client share.
 */
#ifndef EMULATOR_API_CLIENT_H
#define EMULATOR_API_CLIENT_H

#include "api/api.h"

/* Whether the path's client ID can be one; if not, has answered with 400. */
extern bool api_check_client_id(const ApiCall *call);

#endif							/* EMULATOR_API_CLIENT_H */
