#!/bin/bash
# Measures what the README says about speed and memory, each figure beside its peer or limit from
# the same run. Fails when one misses what it must reach.
set -euo pipefail
shopt -s inherit_errexit

usage() {
	cat <<-'USAGE'
		usage: test/bench/run.sh [FIGURE...]

		FIGURE  calls   one call after the other, in time and memory
		        join    a join with many devices
		        delay   the same with a server that is slow
		        quota   several sessions under the service's quota
		        share   several servers under the service's quota
		        cache   answers that are used again
		        memory  what a join of a million rows takes
		        targets  named servers: calls, and the memory of many
		        endpoint  how many requests the local endpoint answers
		        queue   what it costs to put messages into the outbox
		        outbox  how fast they are sent
		        all of them when none is named

		OUTBOX_SECONDS  how long messages are sent beside an old snapshot (20)
		OUTBOX_WAITING  messages of the outbox's large backlog (200000)
	USAGE
}

DEVICES=10000  # of a join
CONCURRENCY=64 # requests in flight: the default of iotdata.max_concurrency

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"
# shellcheck source=test/bench/report.sh
source "$here/test/bench/report.sh"
# shellcheck source=test/bench/servers.sh
source "$here/test/bench/servers.sh"
# shellcheck source=test/bench/session.sh
source "$here/test/bench/session.sh"
# shellcheck source=test/bench/calls.sh
source "$here/test/bench/calls.sh"
# shellcheck source=test/bench/join.sh
source "$here/test/bench/join.sh"
# shellcheck source=test/bench/quota.sh
source "$here/test/bench/quota.sh"
# shellcheck source=test/bench/share.sh
source "$here/test/bench/share.sh"
# shellcheck source=test/bench/cache.sh
source "$here/test/bench/cache.sh"
# shellcheck source=test/bench/memory.sh
source "$here/test/bench/memory.sh"
# shellcheck source=test/bench/targets.sh
source "$here/test/bench/targets.sh"
# shellcheck source=test/bench/endpoint.sh
source "$here/test/bench/endpoint.sh"
# shellcheck source=test/bench/queue.sh
source "$here/test/bench/queue.sh"
# shellcheck source=test/bench/outbox.sh
source "$here/test/bench/outbox.sh"

figures=()
for argument in "$@"; do
	case $argument in
		-h | --help) usage && exit ;;
		calls | join | delay | quota | share | cache | memory | targets | endpoint | queue | outbox) figures+=("$argument") ;;
		*) usage >&2 && exit 2 ;;
	esac
done
[ "${#figures[@]}" -gt 0 ] || figures=(calls join delay quota share cache memory targets endpoint queue outbox)

stop() {
	local rc=$?

	trap '' INT TERM HUP
	setup_end remove
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# build_bare NAME: a program that does with libcurl alone what is measured
build_bare() {
	as_user gcc -O2 -Wall -Wextra -Werror -o "$SCRATCH/$1" "$BUILD/test/bench/$1.c" -lcurl
}

uses=(demo test bench)
[[ " ${figures[*]} " != *" join "* ]] || uses+=(interop peers)
setup_begin "$here" bench "${uses[@]}"
# what a session, the loops and the endpoints sign with
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY AWS_REGION=eu-west-1
say "building"
build_emulator && build_extension
build_bare bare_loop
build_bare bare_multi
make_certificate
processors=$(nproc)
divide_processors
SERVER_SETTINGS+=("shared_preload_libraries = 'iotdata'")
start_server AWS_REGION="$AWS_REGION"
run_psql postgres -q -c 'CREATE EXTENSION iotdata' -f "$BUILD/test/bench/bench.sql" <<<''
run_psql postgres -q <<-SQL
	INSERT INTO device SELECT i, format('device-%s', lpad(i::text, 6, '0')) FROM generate_series(1, $DEVICES) AS i;
	VACUUM ANALYZE device;
SQL
say "on $processors processors, the first for the servers, the others for the sessions and their peers"
for figure in "${figures[@]}"; do
	"figure_$figure"
done
say "$judged figures, $missed missed, $skipped skipped, $SECONDS seconds"
[ "$missed" = 0 ]
