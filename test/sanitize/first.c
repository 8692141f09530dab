/*
 * first.c
 *		Preloaded beside the sanitizers' libraries: their start and their end.
 *
 * The start: AddressSanitizer initialises itself at the first malloc(), and
 * its initialisation calls dlerror(), which translates a message. Debian's
 * PostgreSQL pulls in a library (libgpg-error) whose constructor calls
 * bindtextdomain(). When the malloc() in there is the process's first, the
 * lock of glibc's translations is taken already, and the process waits for
 * itself for ever. This library is linked to be initialised before all others
 * (-z initfirst), and asks for memory while nobody holds that lock.
 *
 * The end: leaks are looked for once a process that has loaded the extension
 * exits. LeakSanitizer's own check at the exit is off (leak_check_at_exit=0),
 * for it would look at every psql and perl too. A server that is stopped at
 * once, as tests do at their end, sends SIGQUIT to what still exits, so that is
 * not let in.
 */
#define _GNU_SOURCE
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* LeakSanitizer's; not there where only memory errors are looked for */
extern int	__lsan_do_recoverable_leak_check(void) __attribute__((weak));

static int
is_extension(struct dl_phdr_info *info, size_t size, void *unused)
{
	const char *name = strrchr(info->dlpi_name, '/');

	return name != NULL && strcmp(name, "/iotdata.so") == 0;
}

static void
look_for_leaks(void)
{
	sigset_t	all;

	if (__lsan_do_recoverable_leak_check == NULL ||
		!dl_iterate_phdr(is_extension, NULL))
		return;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	__lsan_do_recoverable_leak_check();
}

__attribute__((constructor)) static void
start(void)
{
	void	   *volatile memory = malloc(1);

	free(memory);
	atexit(look_for_leaks);
}
