/*
 * pool.c
 *		This backend's connections, and who gets which.
 *
 * A connection is busy (being opened for a user, or in use by one) or idle.
 *
 * An idle connection is reused only when a read on it says that nothing has
 * come: an end, an error, or bytes, which could be taken for the answer to
 * what is sent next. It is not kept for as long as servers usually keep it,
 * so that it does not end just when a request is on its way, and none is kept
 * so long that a change of the endpoint's address would be missed.
 *
 * Where PostgreSQL's budget for descriptors lets no more connections be opened,
 * users wait until one is free. Only when there is none at all they fail.
 */
#include "postgres.h"

#include "storage/fd.h"
#include "storage/ipc.h"
#include "transport/pool.h"

/* idle connections that are kept when a statement has ended */
#define KEPT_IDLE 64

/*
 * How long one is kept idle, in milliseconds, where the server does not say how
 * long it does: less than the 20 seconds and more that are usual. Servers that
 * close earlier (5 seconds are usual then) do say so.
 */
#define MAX_IDLE 15000

/*
 * How long a connection lives, in milliseconds. A change of address is noticed
 * when that and the time that libcurl knows a name have passed.
 */
#define MAX_AGE (2 * 60 * 1000)

/*
 * For how long, after the kernel has refused a descriptor that PostgreSQL's
 * budget had, none is asked for; in milliseconds.
 */
#define SCARCE 1000

static dlist_head waiting = DLIST_STATIC_INIT(waiting); /* users */
static dlist_head busy = DLIST_STATIC_INIT(busy);
static dlist_head idle = DLIST_STATIC_INIT(idle);	/* the last used first */
static int	nidle;

/* Has anybody begun to wait since those who wait were looked at? */
static bool someone_waits;

static int64 scarce_until;

/* ---- connections' ends ---- */

static void
close_connection(IotDataConnection *connection)
{
	if (connection->user != NULL)
		connection->user->connection = NULL;
	else
		nidle--;
	dlist_delete(&connection->node);
	iotdata_connection_close(connection);
}

static IotDataConnection *
longest_idle(void)
{
	return dlist_is_empty(&idle) ? NULL : dlist_tail_element(IotDataConnection, node, &idle);
}

void
iotdata_pool_trim(void)
{
	while (nidle > KEPT_IDLE)
		close_connection(longest_idle());
}

static bool
is_worn_out(const IotDataConnection *connection, int64 now)
{
	return now >= connection->idle_until || now - connection->begun >= MAX_AGE;
}

static void
close_worn_out(int64 now)
{
	while (nidle > 0 && is_worn_out(longest_idle(), now))
		close_connection(longest_idle());
}

/* Backend exit. */
static void
close_all(int code, Datum arg)
{
	while (!dlist_is_empty(&busy))
		close_connection(dlist_head_element(IotDataConnection, node, &busy));
	while (nidle > 0)
		close_connection(longest_idle());
}

/* ---- users ---- */

static void
wait_for_connection(IotDataPoolUser *user)
{
	user->waits = true;
	dlist_push_tail(&waiting, &user->node);
	someone_waits = true;
}

static void
stop_waiting(IotDataPoolUser *user)
{
	user->waits = false;
	dlist_delete(&user->node);
}

/* The user has no connection, and does not wait for one. */
static void
forget_user(IotDataPoolUser *user)
{
	iotdata_origin_leave(user->origin);
	user->origin = NULL;
}

static void
fail_user(IotDataPoolUser *user, IotDataConnectionFailure failure,
		  const char *reason)
{
	forget_user(user);
	user->failed(user, failure, reason);
}

static void
give(IotDataPoolUser *user, IotDataConnection *connection)
{
	connection->user = user;
	user->connection = connection;
	dlist_push_tail(&busy, &connection->node);
}

/* ---- what connections tell ---- */

static void
connection_opened(IotDataConnection *connection)
{
	IotDataPoolUser *user = connection->user;

	user->opened++;
	user->connected(user);
}

/* A name could not be resolved: so say to all who waited for it. */
static void
fail_waiting_for_name(const IotDataOrigin *origin, const char *reason)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &waiting)
	{
		IotDataPoolUser *user = dlist_container(IotDataPoolUser, node, iter.cur);

		if (user->origin != origin)
			continue;
		stop_waiting(user);
		fail_user(user, IOTDATA_CONNECTION_UNREACHABLE, reason);
	}
}

/*
 * Without descriptors the user waits for another connection, if there is any.
 */
static void
connection_failed(IotDataConnection *connection,
				  IotDataConnectionFailure failure, const char *reason)
{
	IotDataPoolUser *user = connection->user;
	IotDataOrigin *origin = user->origin;
	bool		resolving = origin->resolving == connection;

	close_connection(connection);
	if (failure == IOTDATA_CONNECTION_NO_DESCRIPTORS && (nidle > 0 || !dlist_is_empty(&busy)))
	{
		scarce_until = iotdata_multi_now() + SCARCE;
		wait_for_connection(user);
		return;
	}
	iotdata_origin_reference(origin);
	fail_user(user, failure, reason);
	if (resolving)
		fail_waiting_for_name(origin, reason);
	iotdata_origin_leave(origin);
}

/* Something came: for its user, or unasked. */
static void
connection_ready(IotDataConnection *connection, uint32 events)
{
	if (connection->user != NULL)
		connection->user->ready(connection->user, events);
	else if (!iotdata_connection_is_quiet(connection))
		close_connection(connection);
}

/* ---- those who wait ---- */

/* Give a user an idle connection to its origin. Returns false without one. */
static bool
give_idle(IotDataPoolUser *user, int64 now)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &idle)
	{
		IotDataConnection *connection = dlist_container(IotDataConnection, node, iter.cur);

		if (connection->origin != user->origin)
			continue;
		if (is_worn_out(connection, now) || !iotdata_connection_is_quiet(connection))
		{
			close_connection(connection);
			continue;
		}
		dlist_delete(&connection->node);
		nidle--;
		connection->reused = true;
		user->begun = now;
		give(user, connection);
		return true;
	}
	return false;
}

/* For one connection: two, one of which it gives back when it is open. */
static bool
acquire_descriptors(void)
{
	if (!AcquireExternalFD())
		return false;
	if (AcquireExternalFD())
		return true;
	ReleaseExternalFD();
	return false;
}

/*
 * Acquire descriptors for another connection; idle ones are closed for that.
 * Returns false when there are none, for now.
 */
static bool
find_descriptors(int64 now)
{
	if (now < scarce_until)
	{
		if (!dlist_is_empty(&busy))
			return false;
		if (nidle > 0)
			close_connection(longest_idle());
	}
	while (!acquire_descriptors())
	{
		if (nidle == 0)
			return false;
		close_connection(longest_idle());
	}
	return true;
}

static void
open_for(IotDataPoolUser *user)
{
	IotDataConnection *connection = iotdata_connection_create(user->origin);

	if (connection == NULL)
	{
		fail_user(user, IOTDATA_CONNECTION_NO_MEMORY, curl_easy_strerror(CURLE_OUT_OF_MEMORY));
		return;
	}
	give(user, connection);
	user->begun = iotdata_multi_now();
	iotdata_connection_open(connection, user->connect_timeout);
}

/*
 * Look at those who wait, the first first. Returns whether anything began to be
 * opened. Who lacks descriptors holds up those behind it.
 */
static bool
serve_waiting(int64 now)
{
	dlist_mutable_iter iter;
	bool		opened = false;

	someone_waits = false;
	dlist_foreach_modify(iter, &waiting)
	{
		IotDataPoolUser *user = dlist_container(IotDataPoolUser, node, iter.cur);

		if (!user->wants_new && give_idle(user, now))
		{
			stop_waiting(user);
			user->connected(user);
			continue;
		}
		if (user->origin->resolving != NULL)
			continue;
		if (find_descriptors(now))
		{
			stop_waiting(user);
			open_for(user);
			opened = true;
			continue;
		}
		if (!dlist_is_empty(&busy))
			break;
		stop_waiting(user);
		fail_user(user, IOTDATA_CONNECTION_NO_DESCRIPTORS,
				  "PostgreSQL has no descriptor left for a connection");
	}
	return opened;
}

void
iotdata_pool_serve(void)
{
	int64		now = iotdata_multi_now();
	bool		opened;

	close_worn_out(now);
	do
	{
		opened = serve_waiting(now);
		if (opened)
			iotdata_multi_run_timer();
	} while (opened || someone_waits);
}

/* ---- what users ask for ---- */

bool
iotdata_pool_open(void)
{
	static const IotDataConnectionHolder holder = {
		connection_opened, connection_failed, connection_ready
	};
	static bool opened = false;

	if (!iotdata_connections_open(&holder))
		return false;
	if (!opened)
		on_proc_exit(close_all, (Datum) 0);
	opened = true;
	return true;
}

bool
iotdata_pool_acquire(IotDataPoolUser *user, const IotDataEndpoint *endpoint,
					 const char *ca_file, long connect_timeout)
{
	user->origin = iotdata_origin_find(endpoint, ca_file);
	if (user->origin == NULL)
		return false;
	user->connect_timeout = connect_timeout;
	wait_for_connection(user);
	return true;
}

void
iotdata_pool_replace(IotDataPoolUser *user, long connect_timeout)
{
	close_connection(user->connection);
	user->wants_new = true;
	user->connect_timeout = connect_timeout;
	wait_for_connection(user);
}

void
iotdata_pool_release(IotDataPoolUser *user, int idle_seconds)
{
	IotDataConnection *connection = user->connection;
	int64		now = iotdata_multi_now();
	int64		most = MAX_IDLE;

	/* a second before the server does, or half a second */
	if (idle_seconds >= 0)
		most = Min(most, Max(idle_seconds * INT64CONST(1000) - 1000, idle_seconds * INT64CONST(500)));
	connection->idle_until = now + most;
	if (is_worn_out(connection, now))
	{
		iotdata_pool_close(user);
		return;
	}
	connection->user = NULL;
	user->connection = NULL;
	dlist_delete(&connection->node);
	dlist_push_head(&idle, &connection->node);
	nidle++;
	forget_user(user);
}

void
iotdata_pool_close(IotDataPoolUser *user)
{
	if (user->waits)
		stop_waiting(user);
	if (user->connection != NULL)
		close_connection(user->connection);
	if (user->origin != NULL)
		forget_user(user);
}
