/*
 * router.h
 *	  A published message to all who are subscribed to its topic.
 */
#ifndef EMULATOR_ROUTER_H
#define EMULATOR_ROUTER_H

#include "broker/message.h"
#include "broker/subscription.h"

/*
 * Retains the message if it says so, and hands it to every subscriber once,
 * at the highest QoS of the subscriptions that match.  publisher: whose it is,
 * for No Local; NULL for the API's.
 */
extern void router_publish(Message *message, const Subscriber *publisher);

/* What is retained for a subscription that was just made. */
extern void router_send_retained(Subscription *subscription);

#endif							/* EMULATOR_ROUTER_H */
