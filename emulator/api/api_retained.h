/*
 * api_retained.h
 *	  GetRetainedMessage, ListRetainedMessages.
 */
#ifndef EMULATOR_API_RETAINED_H
#define EMULATOR_API_RETAINED_H

#include "api/api_arguments.h"

/* Each answers the call's request, now or later. */
extern void api_get_retained_message(ApiCall *call);
extern void api_list_retained_messages(ApiCall *call);

#endif							/* EMULATOR_API_RETAINED_H */
