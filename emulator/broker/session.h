/*
 * session.h
 *	  What is known of each client ID: its session, its connection, its last
 *	  disconnect.
 */
#ifndef EMULATOR_SESSION_H
#define EMULATOR_SESSION_H

#include "base/loop.h"
#include "base/table.h"
#include "broker/message.h"
#include "broker/subscription.h"
#include "wire/mqtt_connection.h"

/* The longest session AWS keeps: 7 days. */
#define SESSION_MAX_EXPIRY 604800

/* AWS's limit on client IDs, in bytes. */
#define SESSION_MAX_CLIENT_ID 128

/* What a persistent session of MQTT 3.1.1 has. */
#define SESSION_DEFAULT_EXPIRY 3600

typedef struct Session
{
	TableEntry	entry;			/* key: client_id */
	char	   *client_id;
	MqttConnection *connection; /* NULL: not connected */
	bool		alive;			/* connected, or kept for its expiry */
	bool		clean;
	uint32_t	expiry;			/* seconds after the disconnect */
	unsigned	keep_alive;		/* seconds */
	int64_t		connected_since;	/* ms of Unix time, as the next */
	int64_t		disconnected_since;
	const char *disconnect_reason;
	NetworkAddress source_address;
	NetworkAddress target_address;
	Subscriber	subscriber;
	Message    *will;			/* NULL: none, or done with */
	uint32_t	will_delay;		/* seconds */
	LoopTimer	will_timer;
	LoopTimer	end_timer;		/* ends the session, or forgets the client */
} Session;

/* How long a client without a session is remembered; seconds. */
extern void session_set_retention(int64_t seconds);

/* NULL: not known (any more). */
extern Session *session_find(const char *client_id);

/*
 * The connection's CONNECT was accepted.  Whoever had the client ID must have
 * been disconnected before.  present: whether an earlier session goes on.
 */
extern Session *session_begin(MqttConnection *connection, const char *client_id,
							  bool clean_start, uint32_t expiry, bool *present);

/* The will of the connection that has just begun; takes the reference over. */
extern void session_set_will(Session *session, Message *will, uint32_t delay);

/*
 * The connection is no longer the session's.  reason is one of AWS's
 * disconnect reasons.  The will is published unless it was taken away.
 */
extern void session_disconnect(Session *session, const char *reason);
extern void session_drop_will(Session *session);

/* Ends a session that has no connection: subscriptions and messages are gone. */
extern void session_end(Session *session);

extern void session_for_each(void (*visit) (Session *session));

/* Frees everything, at the end of the program. */
extern void session_free_all(void);

#endif							/* EMULATOR_SESSION_H */
