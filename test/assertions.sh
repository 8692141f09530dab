#!/bin/bash
# Runs the tests of what a session holds, of how calls are interrupted, and of joins, on a PostgreSQL
# that checks its assertions and overwrites the memory that it frees; test/assertions/with.sh says how.
#
# Takes what test/run.sh takes; its output, its last line and its exit status are the same, but when
# that PostgreSQL's source could not be fetched: then nothing was tested, which counts as skipped, and
# the status is 3.
here=$(dirname "${BASH_SOURCE[0]}")
[ $# -gt 0 ] || set -- "$here"/t/session_*.pl "$here"/t/join_*.pl
exec "$here/run.sh" --with "$here/assertions/with.sh" "$@"
