#!/bin/bash
# Builds the fuzz targets in a scratch folder, runs all inputs that are kept, and then each target
# for some seconds (60). Prints TAP. What a target found is kept, and said where.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"

seconds=${1:-60}
keep=remove

stop() {
	local rc=$?

	trap '' INT TERM HUP
	setup_end "$keep"
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fuzz() {
	as_user make -s -C "$BUILD/test/fuzz" "$@"
}

{
	setup_begin "$here" fuzz demo fuzz
	fuzz -j"$(nproc)" all
} >&2 || exit 1

failed=0
fuzz regress || failed=1
fuzz run SECONDS="$seconds" || failed=1
[ "$failed" = 0 ] || keep=keep
exit "$failed"
