/*
 * child.c
 *		A program that the backend runs, and what it prints.
 *
 * PostgreSQL's own ways of running a program (OpenPipeStream) cannot be
 * interrupted while it hangs. Here the two pipes and a descriptor that tells of
 * the program's end (pidfd_open) are behind one epoll descriptor, which is
 * waited for together with the latch. posix_spawn starts it without a copy of
 * the backend's memory, and without its descriptors, of which not all are
 * closed by an exec: client sockets and data files are among them.
 *
 * A backend lets SIGCHLD have its default action, so that nobody but us waits
 * for this process, and we for no other.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compat.h"
#include "credentials/child.h"
#include "credentials/secret.h"
#include "miscadmin.h"
#include "storage/fd.h"

/* how much of its stderr is kept */
#define ERRORS_SIZE 1024

/* descriptors while it runs, and two more while it is started */
#define DESCRIPTORS 6

typedef enum
{
	OUT,
	ERRORS,
	WATCH,						/* readable when it has ended */
	EPOLL,
	OUT_END,					/* the program's ends of the pipes */
	ERRORS_END
} Descriptor;

typedef struct Child
{
	MemoryContextCallback callback;
	pid_t		pid;			/* 0: it has been waited for, or never was */
	int			fds[DESCRIPTORS];
	int			acquired;
} Child;

static long
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void
close_descriptor(Child *child, Descriptor which)
{
	if (child->fds[which] >= 0)
		close(child->fds[which]);
	child->fds[which] = -1;
}

/*
 * What runs as another user (sudo) may be beyond our reach; then it is not
 * waited for.
 */
static void
kill_child(Child *child)
{
	bool		killed;

	if (child->pid == 0)
		return;
	killed = kill(child->pid, SIGKILL) == 0;
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, killed ? 0 : WNOHANG) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

/* The context's reset callback. */
static void
release(void *arg)
{
	Child	   *child = arg;

	kill_child(child);
	for (int i = 0; i < DESCRIPTORS; i++)
		close_descriptor(child, i);
	for (; child->acquired > 0; child->acquired--)
		ReleaseExternalFD();
}

static Child *
create_child(void)
{
	Child	   *child = palloc0(sizeof(*child));

	for (int i = 0; i < DESCRIPTORS; i++)
		child->fds[i] = -1;
	child->callback.func = release;
	child->callback.arg = child;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &child->callback);
	return child;
}

/* ---- starting it ---- */

static bool
open_pipe(Child *child, Descriptor ours, Descriptor theirs)
{
	int			ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	child->fds[ours] = ends[0];
	child->fds[theirs] = ends[1];
	return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool
watch(Child *child, Descriptor which)
{
	struct epoll_event event = {.events = EPOLLIN,.data.fd = child->fds[which]};

	return epoll_ctl(child->fds[EPOLL], EPOLL_CTL_ADD, child->fds[which], &event) == 0;
}

static bool
open_descriptors(Child *child)
{
	while (child->acquired < DESCRIPTORS)
	{
		if (!AcquireExternalFD())
			return false;
		child->acquired++;
	}
	child->fds[EPOLL] = epoll_create1(EPOLL_CLOEXEC);
	return child->fds[EPOLL] >= 0 && open_pipe(child, OUT, OUT_END) &&
		open_pipe(child, ERRORS, ERRORS_END) && watch(child, OUT) &&
		watch(child, ERRORS);
}

/* What becomes of descriptors and signals; an errno, or 0. */
static int
prepare(const Child *child, posix_spawn_file_actions_t *actions,
		posix_spawnattr_t *attributes)
{
	sigset_t	all;
	sigset_t	none;
	int			failed = 0;

	sigfillset(&all);
	sigemptyset(&none);
	failed |= posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	failed |= posix_spawn_file_actions_adddup2(actions, child->fds[OUT_END], STDOUT_FILENO);
	failed |= posix_spawn_file_actions_adddup2(actions, child->fds[ERRORS_END], STDERR_FILENO);
	failed |= posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	failed |= posix_spawnattr_setsigdefault(attributes, &all);
	failed |= posix_spawnattr_setsigmask(attributes, &none);
	failed |= posix_spawnattr_setpgroup(attributes, 0);
	failed |= posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF |
									   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	return failed != 0 ? ENOMEM : 0;
}

static int
spawn(Child *child, char *const *words)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t		pid;
	int			failed;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	failed = prepare(child, &actions, &attributes);
	if (failed == 0)
		failed = posix_spawnp(&pid, words[0], &actions, &attributes, words, environ);
	if (failed == 0)
		child->pid = pid;
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

/* An errno, or 0. */
static int
start(Child *child, char *const *words)
{
	int			failed;

	errno = EMFILE;				/* what PostgreSQL's budget refuses */
	if (!open_descriptors(child))
		return errno;
	failed = spawn(child, words);
	close_descriptor(child, OUT_END);
	close_descriptor(child, ERRORS_END);
	if (failed != 0)
		return failed;
	child->fds[WATCH] = (int) syscall(SYS_pidfd_open, child->pid, 0);
	return child->fds[WATCH] >= 0 && watch(child, WATCH) ? 0 : errno;
}

/* ---- listening to it ---- */

/*
 * Read what there is, up to "size" bytes in all. A pipe that is at its end is
 * closed.
 */
static void
read_pipe(Child *child, Descriptor which, char *bytes, size_t *length,
		  size_t size)
{
	while (child->fds[which] >= 0 && *length < size)
	{
		ssize_t		n = read(child->fds[which], bytes + *length, size - *length);

		if (n > 0)
			*length += (size_t) n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			close_descriptor(child, which);
		else if (errno == EAGAIN)
			return;
	}
}

/* Once there is no room for it any more, what it says on stderr is thrown away. */
static void
read_errors(Child *child, IotDataChildResult *result)
{
	char		rest[1024];
	size_t		length = 0;

	read_pipe(child, ERRORS, result->errors, &result->errors_length, ERRORS_SIZE);
	if (result->errors_length == ERRORS_SIZE)
		read_pipe(child, ERRORS, rest, &length, sizeof(rest));
	explicit_bzero(rest, sizeof(rest));
}

/* Has it ended? Then "result" says how. */
static bool
has_ended(Child *child, IotDataChildResult *result)
{
	pid_t		pid = waitpid(child->pid, &result->status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR))
		return false;
	child->pid = 0;
	result->end = pid > 0 ? IOTDATA_CHILD_ENDED : IOTDATA_CHILD_LOST;
	return true;
}

/* It is looked whether it has ended before its last words are read. */
static void
listen_to(Child *child, long timeout, size_t largest,
		  IotDataChildResult *result)
{
	static uint32 wait_event;
	long		deadline = now() + timeout;
	bool		ended = false;

	while (!ended)
	{
		long		left = deadline - now();

		if (left <= 0)
		{
			result->end = IOTDATA_CHILD_TIMED_OUT;
			return;
		}
		WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_SOCKET_READABLE |
						  WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						  child->fds[EPOLL], left,
						  iotdata_wait_event(&wait_event, "IotDataCredentialProcess"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		ended = has_ended(child, result);
		read_pipe(child, OUT, result->out, &result->out_length, largest + 1);
		read_errors(child, result);
		if (result->out_length > largest)
		{
			result->end = IOTDATA_CHILD_TOO_MUCH;
			return;
		}
	}
}

IotDataChildResult
iotdata_child_run(char *const *words, long timeout, size_t largest)
{
	IotDataChildResult result = {
		.out = iotdata_secret_alloc(largest + 2),
		.errors = iotdata_secret_alloc(ERRORS_SIZE + 1)
	};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "iotdata child",
												  ALLOCSET_SMALL_SIZES);
	Child	   *child;

	MemoryContextSwitchTo(context);
	child = create_child();
	result.error_number = start(child, words);
	if (result.error_number != 0)
		result.end = IOTDATA_CHILD_NOT_STARTED;
	else
		listen_to(child, timeout, largest, &result);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return result;
}
