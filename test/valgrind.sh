#!/bin/bash
# Runs the regression tests, and two files of TAP tests, with the whole cluster under valgrind's
# memcheck. Any report is a failure; test/valgrind/with.sh says how.
#
# Takes what test/run.sh takes; its output, its last line and its exit status are the same.
here=$(dirname "${BASH_SOURCE[0]}")
[ $# -gt 0 ] || set -- regress function_get_connection.pl errors_service.pl
exec "$here/run.sh" --with "$here/valgrind/with.sh" "$@"
