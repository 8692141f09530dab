/*
 * window.c
 *		The part of the outbox that is in memory: devices and their next
 *		messages.
 */
#include "postgres.h"

#include "outbox/window.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define MAX_DEVICES 65536
#define MAX_MESSAGES_OF_DEVICE 16

struct IotDataOutboxWindow
{
	MemoryContext context;
	HTAB	   *devices;
	HTAB	   *held;			/* ids */
	dlist_head	ready;
	dlist_head	hungry;
	int			nmessages;		/* those that are out, too */
	size_t		bytes;
	int64	   *settled;
	int			nsettled;
	int			settled_room;
};

IotDataOutboxWindow *
iotdata_window_create(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "iotdata outbox window",
												  ALLOCSET_DEFAULT_SIZES);
	IotDataOutboxWindow *window = MemoryContextAllocZero(context, sizeof(*window));
	HASHCTL		table = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(IotDataOutboxDevice),
		.hcxt = context
	};

	window->context = context;
	window->devices = hash_create("iotdata outbox devices", 1024, &table,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	table.entrysize = sizeof(int64);
	window->held = hash_create("iotdata outbox held messages", 16, &table,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	dlist_init(&window->ready);
	dlist_init(&window->hungry);
	window->settled_room = 64;
	window->settled = MemoryContextAlloc(context, sizeof(int64) * window->settled_room);
	return window;
}

bool
iotdata_window_has_room(const IotDataOutboxWindow *window)
{
	return window->nmessages < IOTDATA_OUTBOX_WINDOW_MESSAGES && window->bytes < IOTDATA_OUTBOX_WINDOW_BYTES &&
		hash_get_num_entries(window->devices) < MAX_DEVICES;
}

bool
iotdata_window_is_empty(const IotDataOutboxWindow *window)
{
	return window->nmessages == 0 && hash_get_num_entries(window->devices) == 0;
}

/* ---- devices ---- */

IotDataOutboxDevice *
iotdata_window_find(IotDataOutboxWindow *window, int64 key)
{
	return hash_search(window->devices, &key, HASH_FIND, NULL);
}

IotDataOutboxDevice *
iotdata_window_get(IotDataOutboxWindow *window, int64 key)
{
	bool		found;
	IotDataOutboxDevice *device = hash_search(window->devices, &key, HASH_ENTER, &found);

	if (found)
		return device;
	device->place = IOTDATA_OUTBOX_NOWHERE;
	dlist_init(&device->messages);
	device->nmessages = 0;
	device->refill_from = -1;
	device->out = NULL;
	device->head = 0;
	device->attempts = 0;
	device->unknown = 0;
	return device;
}

static void
note_settled(IotDataOutboxWindow *window, IotDataOutboxDevice *device)
{
	if (window->nsettled == window->settled_room)
	{
		window->settled_room *= 2;
		window->settled = repalloc(window->settled, sizeof(int64) * window->settled_room);
	}
	window->settled[window->nsettled++] = device->key;
	device->head = 0;
}

int
iotdata_window_settled(const IotDataOutboxWindow *window, const int64 **keys)
{
	*keys = window->settled;
	return window->nsettled;
}

void
iotdata_window_clear_settled(IotDataOutboxWindow *window)
{
	window->nsettled = 0;
}

static void
take_off(IotDataOutboxDevice *device)
{
	if (device->place != IOTDATA_OUTBOX_NOWHERE)
		dlist_delete(&device->node);
	device->place = IOTDATA_OUTBOX_NOWHERE;
}

static void
put_on(IotDataOutboxDevice *device, dlist_head *list, IotDataOutboxPlace place)
{
	if (device->place == place)
		return;
	take_off(device);
	dlist_push_tail(list, &device->node);
	device->place = place;
}

void
iotdata_window_place(IotDataOutboxWindow *window, IotDataOutboxDevice *device)
{
	if (device->out != NULL)
		take_off(device);
	else if (device->nmessages > 0)
		put_on(device, &window->ready, IOTDATA_OUTBOX_READY);
	else if (device->refill_from >= 0)
		put_on(device, &window->hungry, IOTDATA_OUTBOX_HUNGRY);
	else
	{
		take_off(device);
		if (device->head != 0)
			note_settled(window, device);
		hash_search(window->devices, &device->key, HASH_REMOVE, NULL);
	}
}

bool
iotdata_window_is_hungry(const IotDataOutboxWindow *window)
{
	return !dlist_is_empty(unconstify(dlist_head *, &window->hungry));
}

IotDataOutboxDevice *
iotdata_window_pop_hungry(IotDataOutboxWindow *window)
{
	IotDataOutboxDevice *device;

	if (!iotdata_window_is_hungry(window))
		return NULL;
	device = dlist_head_element(IotDataOutboxDevice, node, &window->hungry);
	take_off(device);
	return device;
}

static void
drop_messages(IotDataOutboxWindow *window, IotDataOutboxDevice *device, int64 from)
{
	while (device->nmessages > 0)
	{
		IotDataOutboxMessage *last = dlist_tail_element(IotDataOutboxMessage, node,
														&device->messages);

		if (last->id < from)
			break;
		dlist_delete(&last->node);
		device->nmessages--;
		iotdata_window_free(window, last);
	}
}

void
iotdata_window_read_from(IotDataOutboxWindow *window, IotDataOutboxDevice *device,
						 int64 id)
{
	if (device->refill_from < 0 || id < device->refill_from)
		device->refill_from = id;
	drop_messages(window, device, device->refill_from);
	iotdata_window_place(window, device);
}

void
iotdata_window_forget(IotDataOutboxWindow *window, IotDataOutboxDevice *device)
{
	drop_messages(window, device, 0);
	take_off(device);
	hash_search(window->devices, &device->key, HASH_REMOVE, NULL);
}

/* ---- messages ---- */

bool
iotdata_window_knows(const IotDataOutboxDevice *device, int64 id)
{
	dlist_iter	iter;

	if (device->out != NULL && device->out->id == id)
		return true;
	dlist_foreach(iter, unconstify(dlist_head *, &device->messages))
	{
		if (dlist_container(IotDataOutboxMessage, node, iter.cur)->id == id)
			return true;
	}
	return false;
}

void
iotdata_window_hold(IotDataOutboxWindow *window, int64 id)
{
	hash_search(window->held, &id, HASH_ENTER, NULL);
}

void
iotdata_window_let_go(IotDataOutboxWindow *window, int64 id)
{
	if (hash_get_num_entries(window->held) > 0)
		hash_search(window->held, &id, HASH_REMOVE, NULL);
}

bool
iotdata_window_holds(const IotDataOutboxWindow *window, int64 id)
{
	return hash_get_num_entries(window->held) > 0 &&
		hash_search(window->held, &id, HASH_FIND, NULL) != NULL;
}

bool
iotdata_window_device_has_room(const IotDataOutboxDevice *device)
{
	return device->nmessages < MAX_MESSAGES_OF_DEVICE;
}

IotDataOutboxMessage *
iotdata_window_message(IotDataOutboxWindow *window, int64 id)
{
	MemoryContext context = AllocSetContextCreate(window->context,
												  "iotdata outbox message",
												  ALLOCSET_SMALL_SIZES);
	IotDataOutboxMessage *message = MemoryContextAllocZero(context, sizeof(*message));

	message->context = context;
	message->id = id;
	message->expires_at = DT_NOEND;
	return message;
}

IotDataJournalKey
iotdata_window_journal_key(const IotDataOutboxMessage *message)
{
	return (IotDataJournalKey) {message->key, message->id, message->xid};
}

void
iotdata_window_add(IotDataOutboxWindow *window, IotDataOutboxDevice *device,
				   IotDataOutboxMessage *message)
{
	dlist_node *after = &device->messages.head;
	dlist_iter	iter;

	dlist_reverse_foreach(iter, &device->messages)
	{
		if (dlist_container(IotDataOutboxMessage, node, iter.cur)->id < message->id)
		{
			after = iter.cur;
			break;
		}
	}
	dlist_insert_after(after, &message->node);
	device->nmessages++;
	message->device = device;
	message->key = device->key;
	if (device->head == message->id)
	{
		message->attempts = device->attempts;
		message->unknown = device->unknown;
		message->was_retried = true;
	}
	window->nmessages++;
	window->bytes += message->size;
	iotdata_window_place(window, device);
}

void
iotdata_window_free(IotDataOutboxWindow *window, IotDataOutboxMessage *message)
{
	window->nmessages--;
	window->bytes -= message->size;
	MemoryContextDelete(message->context);
}

void
iotdata_window_visit(IotDataOutboxWindow *window,
					 void (*visit) (IotDataOutboxMessage *message, void *arg), void *arg)
{
	HASH_SEQ_STATUS devices;
	IotDataOutboxDevice *device;

	hash_seq_init(&devices, window->devices);
	while ((device = hash_seq_search(&devices)) != NULL)
	{
		dlist_iter	iter;

		dlist_foreach(iter, &device->messages)
		{
			visit(dlist_container(IotDataOutboxMessage, node, iter.cur), arg);
		}
	}
}

bool
iotdata_window_is_ready(const IotDataOutboxWindow *window)
{
	return !dlist_is_empty(unconstify(dlist_head *, &window->ready));
}

IotDataOutboxMessage *
iotdata_window_pop_ready(IotDataOutboxWindow *window)
{
	IotDataOutboxDevice *device;
	IotDataOutboxMessage *message;

	if (!iotdata_window_is_ready(window))
		return NULL;
	device = dlist_head_element(IotDataOutboxDevice, node, &window->ready);
	message = dlist_container(IotDataOutboxMessage, node,
							  dlist_pop_head_node(&device->messages));
	device->nmessages--;
	device->out = message;
	iotdata_window_place(window, device);
	return message;
}

void
iotdata_window_release(IotDataOutboxWindow *window, IotDataOutboxMessage *message)
{
	IotDataOutboxDevice *device = message->device;

	if (device->head == message->id)
		note_settled(window, device);
	device->out = NULL;
	message->device = NULL;
	iotdata_window_place(window, device);
}
