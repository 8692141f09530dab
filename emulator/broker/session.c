/*
 * session.c
 *	  What is known of each client ID: its session, its connection, its last
 *	  disconnect.
 *
 * A Session record goes through these states:
 *
 *	connected	connection is set, alive
 *	away		no connection, alive: persistent; end_timer runs to its expiry
 *	remembered	no connection, not alive: subscriptions, messages and will are
 *				gone; end_timer runs until the record is forgotten
 *
 * connected -> away or remembered by session_disconnect(), away -> remembered
 * by session_end(), any -> connected by session_begin().  The record owns
 * subscriptions, messages and will; the connection belongs to
 * mqtt_connection.c, and each points at the other only while connected.
 */
#include "broker/session.h"

#include <stdlib.h>

#include "broker/router.h"

static Table sessions;
static int64_t retention = 1800;

void
session_set_retention(int64_t seconds)
{
	retention = seconds;
}

Session *
session_find(const char *client_id)
{
	return (Session *) table_find(&sessions, client_id);
}

/* ------ wills ------ */

static void
publish_will(Session *session)
{
	Message    *will = session->will;

	loop_cancel_timer(&session->will_timer);
	session->will = NULL;
	if (will != NULL)
		router_publish(will, &session->subscriber);
	message_release(will);
}

static void
handle_will_timer(LoopTimer *timer)
{
	publish_will((Session *) ((char *) timer - offsetof(Session, will_timer)));
}

void
session_drop_will(Session *session)
{
	loop_cancel_timer(&session->will_timer);
	message_release(session->will);
	session->will = NULL;
}

void
session_set_will(Session *session, Message *will, uint32_t delay)
{
	session_drop_will(session);
	session->will = will;
	session->will_delay = delay;
}

/* ------ the end ------ */

static void
forget(Session *session)
{
	session_drop_will(session);
	loop_cancel_timer(&session->end_timer);
	delivery_clear(&session->subscriber.delivery);
	subscription_remove_all(&session->subscriber);
	table_remove(&sessions, &session->entry);
	free(session->client_id);
	free(session);
}

void
session_end(Session *session)
{
	int64_t		age = loop_wall_clock() - session->disconnected_since;

	delivery_clear(&session->subscriber.delivery);
	subscription_remove_all(&session->subscriber);
	session->alive = false;
	publish_will(session);
	loop_set_timer(&session->end_timer,
				   loop_now() + (age < retention * 1000 ? retention * 1000 - age : 0));
}

static void
handle_end_timer(LoopTimer *timer)
{
	Session    *session = (Session *) ((char *) timer - offsetof(Session, end_timer));

	if (session->alive)
		session_end(session);
	else
		forget(session);
}

/* ------ connections ------ */

static Session *
find_or_make(const char *client_id)
{
	Session    *session = session_find(client_id);

	if (session != NULL)
		return session;
	session = memory_alloc(sizeof(Session));
	session->client_id = memory_copy_string(client_id);
	session->entry.key = session->client_id;
	session->subscriber.delivery.client_id = session->client_id;
	session->end_timer.expired = handle_end_timer;
	session->will_timer.expired = handle_will_timer;
	table_add(&sessions, &session->entry);
	return session;
}

Session *
session_begin(MqttConnection *connection, const char *client_id, bool clean_start,
			  uint32_t expiry, bool *present)
{
	Session    *session = find_or_make(client_id);

	/* A will that waits is published when its session ends, else dropped. */
	if (clean_start && session->alive)
		session_end(session);
	session_drop_will(session);
	loop_cancel_timer(&session->end_timer);

	*present = session->alive;
	session->alive = true;
	session->clean = expiry == 0;
	session->expiry = expiry;
	session->keep_alive = connection->keep_alive;
	session->connected_since = loop_wall_clock();
	session->source_address = connection->source_address;
	session->target_address = connection->target_address;
	session->connection = connection;
	connection->session = session;
	return session;
}

void
session_disconnect(Session *session, const char *reason)
{
	session->connection->session = NULL;
	session->connection = NULL;
	session->disconnected_since = loop_wall_clock();
	session->disconnect_reason = reason;
	delivery_suspend(&session->subscriber.delivery);
	if (session->expiry == 0)
	{
		session_end(session);
		return;
	}
	loop_set_timer(&session->end_timer, loop_now() + (int64_t) session->expiry * 1000);
	if (session->will != NULL && session->will_delay > 0)
		loop_set_timer(&session->will_timer,
					   loop_now() + (int64_t) session->will_delay * 1000);
	else
		publish_will(session);
}

void
session_for_each(void (*visit) (Session *session))
{
	uint64_t	sequence = 0;
	TableEntry *entry;

	while ((entry = table_after(&sessions, sequence)) != NULL)
	{
		sequence = entry->sequence;
		visit((Session *) entry);
	}
}

void
session_free_all(void)
{
	session_for_each(forget);
	table_free(&sessions);
	subscription_free();
}
