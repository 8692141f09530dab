/*
 * message.h
 *	  A message on its way: topic, payload, MQTT 5 properties; shared by all who
 *	  are to get it.
 */
#ifndef EMULATOR_MESSAGE_H
#define EMULATOR_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "wire/mqtt_packet.h"

#define MESSAGE_MAX_PAYLOAD 131072

typedef struct Message
{
	unsigned	references;
	char	   *topic;
	Buffer		payload;
	Buffer		properties;		/* as on the wire, without the expiry */
	unsigned	qos;
	bool		retain;
	bool		expires;
	int64_t		expires_at;		/* loop_now()'s clock */
} Message;

/* With one reference, the caller's. */
extern Message *message_new(const void *topic, size_t topic_length,
							const void *payload, size_t payload_length);
extern Message *message_share(Message *message);
extern void message_release(Message *message);	/* NULL is allowed */

/* Takes over from a block that was read what belongs to the message itself. */
extern void message_copy_properties(Message *message, const MqttProperties *properties);
extern void message_set_expiry(Message *message, uint32_t seconds);
extern bool message_is_expired(const Message *message);

/* Its user properties as the API gives them, [{"a":"b"},...]; NULL: none. */
extern char *message_user_properties(const Message *message);

typedef struct MessageForm
{
	unsigned	version;		/* of the receiver's MQTT */
	unsigned	qos;
	bool		retain;
	bool		duplicate;
	uint16_t	packet_id;		/* for QoS 1 */
	size_t		maximum_size;	/* of the whole packet */
} MessageForm;

/* Appends a PUBLISH packet; false, and nothing appended, if it is too large. */
extern bool message_append_publish(const Message *message, const MessageForm *form,
								   Buffer *output);

#endif							/* EMULATOR_MESSAGE_H */
