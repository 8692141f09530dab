/*
 * api_message.h
 *	  SendDirectMessage, Publish.
 */
#ifndef EMULATOR_API_MESSAGE_H
#define EMULATOR_API_MESSAGE_H

#include "api/api_arguments.h"

/* Each answers the call's request, now or later. */
extern void api_send_direct_message(ApiCall *call);
extern void api_publish(ApiCall *call);

#endif							/* EMULATOR_API_MESSAGE_H */
