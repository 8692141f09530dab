#!/bin/bash
# Runs the unit tests, pg_regress and the TAP tests with AddressSanitizer and
# UndefinedBehaviorSanitizer in the backend, in the local endpoint and in the unit tests. Any report
# is a failure, leaks of the extension's own memory too; test/sanitize/with.sh says how.
#
# Takes what test/run.sh takes; its output, its last line and its exit status are the same.
here=$(dirname "${BASH_SOURCE[0]}")
[ $# -gt 0 ] || set -- unit regress tap
exec "$here/run.sh" --with "$here/sanitize/with.sh" "$@"
