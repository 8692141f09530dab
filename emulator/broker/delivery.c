/*
 * delivery.c
 *	  Messages on their way to one client: in flight, waiting, confirmed.
 *
 * A QoS 1 message is an Outgoing, which is in exactly one of the delivery's two
 * lists.  It begins at the end of "waiting"; when the client is connected and
 * has room (its Receive Maximum, and AWS's 100) it gets a packet id, is
 * written and moves to "in flight"; PUBACK ends it.  When the connection ends,
 * what was in flight goes back to the head of "waiting" with its packet id,
 * and is written again with DUP at the next connection.  Since waiting
 * messages leave in order, those with an id always go first, and a new id
 * never meets one that is still in use.
 *
 * A direct message belongs to one connection: it is never kept beyond it and
 * never sent again.  Its Confirmation, while there is one, points at it and
 * back; whichever ends first clears the other's pointer.  The Confirmation
 * ends in exactly one call of done.
 */
#include "broker/delivery.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"

typedef struct Confirmation
{
	LoopTimer	timer;			/* first, so that it can be cast back */
	struct Outgoing *outgoing;	/* NULL: dropped, only the time-out is left */
	Delivery   *delivery;
	void		(*done) (void *argument, bool confirmed);
	void	   *argument;
} Confirmation;

typedef struct Outgoing
{
	struct Outgoing *next;
	Message    *message;
	uint16_t	packet_id;		/* 0: never written */
	bool		retain;
	bool		direct;
	Confirmation *confirmation; /* of a direct one, until it ends */
} Outgoing;

/* ------ lists ------ */

static void
append(OutgoingList *list, Outgoing *outgoing)
{
	outgoing->next = NULL;
	if (list->last != NULL)
		list->last->next = outgoing;
	else
		list->first = outgoing;
	list->last = outgoing;
	list->count++;
}

/* previous is the one before, or NULL for the first. */
static Outgoing *
take_after(OutgoingList *list, Outgoing *previous)
{
	Outgoing   *outgoing = previous != NULL ? previous->next : list->first;

	if (previous != NULL)
		previous->next = outgoing->next;
	else
		list->first = outgoing->next;
	if (list->last == outgoing)
		list->last = previous;
	list->count--;
	return outgoing;
}

/* Whether it was there. */
static bool
take(OutgoingList *list, const Outgoing *wanted)
{
	Outgoing   *previous = NULL;

	for (Outgoing *at = list->first; at != NULL; previous = at, at = at->next)
	{
		if (at == wanted)
		{
			take_after(list, previous);
			return true;
		}
	}
	return false;
}

static void
free_outgoing(Outgoing *outgoing)
{
	if (outgoing->confirmation != NULL)
		outgoing->confirmation->outgoing = NULL;
	message_release(outgoing->message);
	free(outgoing);
}

/* ------ confirmations ------ */

static void
end_confirmation(Confirmation *confirmation, bool confirmed)
{
	loop_cancel_timer(&confirmation->timer);
	if (confirmation->outgoing != NULL)
		confirmation->outgoing->confirmation = NULL;
	confirmation->done(confirmation->argument, confirmed);
	free(confirmation);
}

/* Frees a message that is in no list any more, and ends its confirmation. */
static void
end_outgoing(Outgoing *outgoing, bool confirmed)
{
	Confirmation *confirmation = outgoing->confirmation;

	free_outgoing(outgoing);
	if (confirmation != NULL)
		end_confirmation(confirmation, confirmed);
}

/* What was never written is not written any more. */
static void
time_out_confirmation(LoopTimer *timer)
{
	Confirmation *confirmation = (Confirmation *) timer;
	Outgoing   *outgoing = confirmation->outgoing;
	Delivery   *delivery = confirmation->delivery;

	end_confirmation(confirmation, false);
	if (outgoing != NULL && take(&delivery->waiting, outgoing))
		free_outgoing(outgoing);
}

/* ------ sending ------ */

static MessageForm
make_form(const MqttConnection *connection, unsigned qos, bool retain)
{
	MessageForm form = {
		.version = connection->version,
		.qos = qos,
		.retain = retain,
		.maximum_size = connection->maximum_packet
	};

	return form;
}

static void
write_at_most_once(Delivery *delivery, Message *message, bool retain)
{
	MessageForm form = make_form(delivery->connection, 0, retain);

	message_append_publish(message, &form, mqtt_connection_output(delivery->connection));
}

static uint16_t
next_packet_id(Delivery *delivery)
{
	for (;;)
	{
		const Outgoing *at = delivery->in_flight.first;

		delivery->last_packet_id = (uint16_t) (delivery->last_packet_id % 65535 + 1);
		while (at != NULL && at->packet_id != delivery->last_packet_id)
			at = at->next;
		if (at == NULL)
			return delivery->last_packet_id;
	}
}

/*
 * Writes one message.  False when it can never be sent: too large for the
 * client (MQTT has it dropped as if delivered), or expired.
 */
static bool
write_outgoing(Delivery *delivery, Outgoing *outgoing)
{
	MessageForm form = make_form(delivery->connection, 1, outgoing->retain);

	if (outgoing->packet_id == 0 && message_is_expired(outgoing->message))
		return false;
	form.duplicate = outgoing->packet_id != 0;
	if (outgoing->packet_id == 0)
		outgoing->packet_id = next_packet_id(delivery);
	form.packet_id = outgoing->packet_id;
	return message_append_publish(outgoing->message, &form,
								  mqtt_connection_output(delivery->connection));
}

static void
send_waiting(Delivery *delivery)
{
	size_t		room;

	if (delivery->connection == NULL)
		return;
	room = delivery->connection->receive_maximum;
	if (room > DELIVERY_MAX_IN_FLIGHT)
		room = DELIVERY_MAX_IN_FLIGHT;
	while (delivery->waiting.first != NULL && delivery->in_flight.count < room)
	{
		Outgoing   *outgoing = take_after(&delivery->waiting, NULL);

		if (write_outgoing(delivery, outgoing))
			append(&delivery->in_flight, outgoing);
		else
			free_outgoing(outgoing);
	}
}

static Outgoing *
make_outgoing(Message *message, bool retain)
{
	Outgoing   *outgoing = memory_alloc(sizeof(Outgoing));

	outgoing->message = message_share(message);
	outgoing->retain = retain;
	return outgoing;
}

void
delivery_send(Delivery *delivery, Message *message, unsigned qos, bool retain)
{
	if (qos == 0)
	{
		if (delivery->connection != NULL && !message_is_expired(message))
			write_at_most_once(delivery, message, retain);
		return;
	}
	if (delivery->waiting.count >= DELIVERY_MAX_WAITING)
	{
		log_event("mqtt dropped %s: %d messages are waiting", log_text(delivery->client_id),
				  DELIVERY_MAX_WAITING);
		return;
	}
	append(&delivery->waiting, make_outgoing(message, retain));
	send_waiting(delivery);
}

void
delivery_send_direct(Delivery *delivery, Message *message)
{
	write_at_most_once(delivery, message, false);
}

void
delivery_send_confirmed(Delivery *delivery, Message *message, int64_t timeout,
						void (*done) (void *argument, bool confirmed), void *argument)
{
	Outgoing   *outgoing = make_outgoing(message, false);
	Confirmation *confirmation = memory_alloc(sizeof(Confirmation));

	outgoing->direct = true;
	outgoing->confirmation = confirmation;
	confirmation->timer.expired = time_out_confirmation;
	confirmation->outgoing = outgoing;
	confirmation->delivery = delivery;
	confirmation->done = done;
	confirmation->argument = argument;
	loop_set_timer(&confirmation->timer, loop_now() + timeout);
	append(&delivery->waiting, outgoing);
	send_waiting(delivery);
}

/* ------ what the client does ------ */

/*
 * A PUBACK with an error's reason code counts like any other: it says that
 * the message has arrived, which is what was asked.
 */
bool
delivery_acknowledge(Delivery *delivery, uint16_t packet_id)
{
	OutgoingList *list = &delivery->in_flight;
	Outgoing   *previous = NULL,
			   *at = list->first;

	while (at != NULL && at->packet_id != packet_id)
	{
		previous = at;
		at = at->next;
	}
	if (at == NULL)
		return false;
	take_after(list, previous);
	end_outgoing(at, true);
	send_waiting(delivery);
	return true;
}

void
delivery_resume(Delivery *delivery, MqttConnection *connection)
{
	delivery->connection = connection;
	send_waiting(delivery);
}

/* Moves what outlives the connection from one list to the end of another. */
static void
keep_ordinary(OutgoingList *from, OutgoingList *to)
{
	while (from->first != NULL)
	{
		Outgoing   *outgoing = take_after(from, NULL);

		if (!outgoing->direct)
		{
			append(to, outgoing);
			continue;
		}

		/*
		 * The message may have arrived just before the connection was lost,
		 * so the answer is that no confirmation came, not that there is no
		 * such client.
		 */
		end_outgoing(outgoing, false);
	}
}

void
delivery_suspend(Delivery *delivery)
{
	OutgoingList kept = {0};

	delivery->connection = NULL;
	keep_ordinary(&delivery->in_flight, &kept);
	keep_ordinary(&delivery->waiting, &kept);
	delivery->waiting = kept;
}

void
delivery_clear(Delivery *delivery)
{
	delivery_suspend(delivery);
	while (delivery->waiting.first != NULL)
		free_outgoing(take_after(&delivery->waiting, NULL));
}
