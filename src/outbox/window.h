/*
 * window.h
 *		The part of the outbox that is in memory: devices and their next
 *		messages.
 *
 * A device is here while some of its messages are, or are to be read. It is
 *   ready    its first message can be sent; ready devices take turns
 *   hungry   its messages here have been sent, and there are more in the table,
 *            from "refill_from" on
 *   busy     one of its messages is out: in flight, or not recorded yet
 * A device that waits for another attempt is not here, but in outbox_retry. All
 * is bounded: messages and their bytes, devices, messages of one device.
 */
#ifndef IOTDATA_OUTBOX_WINDOW_H
#define IOTDATA_OUTBOX_WINDOW_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "error/failure.h"
#include "lib/ilist.h"
#include "outbox/journal.h"
#include "outbox/schedule.h"
#include "request/request.h"
#include "target/target.h"

/* the most that are here and out at a time, and about how many bytes they have */
#define IOTDATA_OUTBOX_WINDOW_MESSAGES 4096
#define IOTDATA_OUTBOX_WINDOW_BYTES (8 * 1024 * 1024)

typedef struct IotDataOutboxDevice IotDataOutboxDevice;

typedef struct IotDataOutboxMessage
{
	dlist_node	node;			/* in the list that it is in, one at a time */
	MemoryContext context;		/* the message and all that it points to */
	size_t		size;			/* about, in bytes */
	IotDataOutboxDevice *device;	/* NULL when the device is done with it */
	int64		key;			/* the device's */
	int64		id;
	int64		xid;			/* of the transaction that queued it */
	Oid			owner;
	Oid			payload_type;	/* of the function that queued it */
	const char *server;			/* NULL: the default target */
	const IotDataTarget *target;	/* held by the context; NULL: the default
									 * target */
	TimestampTz expires_at;		/* DT_NOEND: never */
	const IotDataRequest *request;	/* NULL: it cannot be sent, */
	const IotDataFailure *failure;	/* and why; or the last attempt's */
	int			attempts;
	int			unknown;
	bool		was_retried;	/* there is a row in outbox_retry for it */
	struct IotDataTargetQueue *queue;	/* the sender's, once it is out */

	/* once it is known */
	IotDataOutboxVerdict verdict;
	TimestampTz due;			/* of the next attempt */
} IotDataOutboxMessage;

typedef enum IotDataOutboxPlace
{
	IOTDATA_OUTBOX_NOWHERE,
	IOTDATA_OUTBOX_READY,
	IOTDATA_OUTBOX_HUNGRY
} IotDataOutboxPlace;

struct IotDataOutboxDevice
{
	int64		key;
	dlist_node	node;			/* in the list of its place */
	IotDataOutboxPlace place;
	dlist_head	messages;		/* by id */
	int			nmessages;
	int64		refill_from;	/* id; -1: all are here */
	IotDataOutboxMessage *out;
	int64		head;			/* of its row in outbox_retry; 0: none */
	int			attempts;
	int			unknown;
};

typedef struct IotDataOutboxWindow IotDataOutboxWindow;

/* In the current memory context. */
extern IotDataOutboxWindow *iotdata_window_create(void);

/* May more be read? */
extern bool iotdata_window_has_room(const IotDataOutboxWindow *window);

/* Is nothing here, nor out? */
extern bool iotdata_window_is_empty(const IotDataOutboxWindow *window);

/* A device, NULL when it is not here; and one that is made if need be. */
extern IotDataOutboxDevice *iotdata_window_find(IotDataOutboxWindow *window, int64 key);
extern IotDataOutboxDevice *iotdata_window_get(IotDataOutboxWindow *window, int64 key);

/* Is the message here, or out? */
extern bool iotdata_window_knows(const IotDataOutboxDevice *device, int64 id);

/*
 * A message that has ended but cannot be recorded is held: its row is there, and
 * is not to be read again. Until it is let go.
 */
extern void iotdata_window_hold(IotDataOutboxWindow *window, int64 id);
extern void iotdata_window_let_go(IotDataOutboxWindow *window, int64 id);
extern bool iotdata_window_holds(const IotDataOutboxWindow *window, int64 id);

/* Has the device room for another message? */
extern bool iotdata_window_device_has_room(const IotDataOutboxDevice *device);

/* A new message, of this id, in a context of its own. */
extern IotDataOutboxMessage *iotdata_window_message(IotDataOutboxWindow *window, int64 id);

/* How the journal knows it; the device is to be known. */
extern IotDataJournalKey iotdata_window_journal_key(const IotDataOutboxMessage *message);

/* Put it where it belongs among the device's. */
extern void iotdata_window_add(IotDataOutboxWindow *window, IotDataOutboxDevice *device,
							   IotDataOutboxMessage *message);

/* The device's messages from this id on are to be read from the table. */
extern void iotdata_window_read_from(IotDataOutboxWindow *window,
									 IotDataOutboxDevice *device, int64 id);

/* What the device does next, after something about it has changed. */
extern void iotdata_window_place(IotDataOutboxWindow *window, IotDataOutboxDevice *device);

/* The next device that is hungry; it is so no longer. NULL: none. */
extern IotDataOutboxDevice *iotdata_window_pop_hungry(IotDataOutboxWindow *window);
extern bool iotdata_window_is_hungry(const IotDataOutboxWindow *window);

/* Call "visit" with each message that is here, and "arg". */
extern void iotdata_window_visit(IotDataOutboxWindow *window,
								 void (*visit) (IotDataOutboxMessage *message, void *arg),
								 void *arg);

/* The next message, which is out from now on. NULL: none. */
extern IotDataOutboxMessage *iotdata_window_pop_ready(IotDataOutboxWindow *window);
extern bool iotdata_window_is_ready(const IotDataOutboxWindow *window);

/* A message has ended: its device goes on without it. */
extern void iotdata_window_release(IotDataOutboxWindow *window,
								   IotDataOutboxMessage *message);

/* A device waits for another attempt from now on: it is forgotten here. */
extern void iotdata_window_forget(IotDataOutboxWindow *window,
								  IotDataOutboxDevice *device);

/* Free a message that has been recorded. */
extern void iotdata_window_free(IotDataOutboxWindow *window, IotDataOutboxMessage *message);

/*
 * Devices whose row in outbox_retry is of no use any longer, because its message
 * has ended: returns how many. They stay until they are cleared.
 */
extern int	iotdata_window_settled(const IotDataOutboxWindow *window, const int64 **keys);
extern void iotdata_window_clear_settled(IotDataOutboxWindow *window);

#endif							/* IOTDATA_OUTBOX_WINDOW_H */
