/*
 * api_connection.h
 *	  GetConnection, DeleteConnection, ListSubscriptions.
 */
#ifndef EMULATOR_API_CONNECTION_H
#define EMULATOR_API_CONNECTION_H

#include "api/api_arguments.h"

/* Each answers the call's request, now or later. */
extern void api_get_connection(ApiCall *call);
extern void api_delete_connection(ApiCall *call);
extern void api_list_subscriptions(ApiCall *call);

#endif							/* EMULATOR_API_CONNECTION_H */
