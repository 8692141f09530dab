#!/bin/bash
# Runs the tests of what a session holds, of how calls are interrupted, and of joins, with memory that
# is overwritten as it is freed; test/perturb/with.sh says how.
#
# Takes what test/run.sh takes; its output, its last line and its exit status are the same.
here=$(dirname "${BASH_SOURCE[0]}")
[ $# -gt 0 ] || set -- "$here"/t/session_*.pl "$here"/t/join_*.pl
exec "$here/run.sh" --with "$here/perturb/with.sh" "$@"
