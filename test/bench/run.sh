#!/bin/bash
# Measures what the README says about speed and memory, each figure beside its peer or limit from
# the same run: one call after the other in a session, against a bare libcurl loop and the same
# local endpoint, plain and over TLS; and how much 100,000 calls, good and failing, grow a backend.
# Prints figures, and fails when one misses what it must reach.
set -euo pipefail

calls=5000   # in a round
rounds=7     # of each kind; the median counts
many=100000  # calls that must not grow the backend

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"

missed=0
stop() {
	local rc=$?

	trap '' INT TERM HUP
	setup_end remove
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A certificate for localhost that is its own authority.
make_certificate() {
	as_user openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$SCRATCH/key.pem" -out "$SCRATCH/cert.pem" 2>/dev/null
}

# start_endpoint NAME OPTION...: a local endpoint, and a client that is connected to it
start_endpoint() {
	local name=$1

	shift
	start_program "$name" "$BUILD/emulator/iotdata-emulator" \
		--certificate "$SCRATCH/cert.pem" --key "$SCRATCH/key.pem" "$@"
	wait_until "the local endpoint did not start" grep -q '^ready' "$SCRATCH/$name.log"
	start_program "client-$name" mosquitto_sub -p "$(port "$name" mqtt)" -i bench -t bench
	wait_until "the client did not connect" curl_bare "$name" http 1
}

# port NAME SCHEME
port() {
	sed -n "s/^$2 .*://p" "$SCRATCH/$1.log"
}

# curl_bare NAME SCHEME COUNT: signed where the endpoint asks for it
curl_bare() {
	local region=()

	[ "$1" = unsigned ] || region=("$AWS_REGION")
	as_user "$SCRATCH/bare_loop" \
		"$2://localhost:$(port "$1" "$2")/connections/bench?includeSocketInformation=false" \
		"$3" "$SCRATCH/cert.pem" "${region[@]}"
}

# endpoint_settings NAME SCHEME
endpoint_settings() {
	printf "SET iotdata.endpoint_url = '%s://localhost:%s'; SET iotdata.ca_file = '%s';" \
		"$2" "$(port "$1" "$2")" "$SCRATCH/cert.pem"
}

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# judge NAME VALUE OPERATOR BOUND TEXT
judge() {
	local verdict=ok

	awk "BEGIN { exit !($2 $3 $4) }" || {
		verdict=MISSED
		missed=1
	}
	printf '%-44s %10s   asked: %s %-6s %s%s\n' "$1" "$2" "$3" "$4" "$verdict" "${5:+   ($5)}"
}

# Rounds of both in turn, so that a change of the machine's speed meets both.
measure_rate() {
	local endpoint=$1 scheme=$2 ours bare i

	: >"$SCRATCH/ratios" && : >"$SCRATCH/ours" && : >"$SCRATCH/bare"
	for ((i = 0; i < rounds; i++)); do
		bare=$(curl_bare "$endpoint" "$scheme" "$calls")
		ours=$(run_psql postgres -qAt -c "$(endpoint_settings "$endpoint" "$scheme") SELECT bench_calls($calls)")
		awk "BEGIN { print $bare / $ours }" >>"$SCRATCH/ratios"
		awk "BEGIN { printf \"%d\n\", $calls / $ours }" >>"$SCRATCH/ours"
		awk "BEGIN { printf \"%d\n\", $calls / $bare }" >>"$SCRATCH/bare"
	done
	judge "rate over a bare loop's, $scheme, $endpoint" "$(median <"$SCRATCH/ratios")" '>=' "$3" \
		"$(median <"$SCRATCH/ours") calls/s, bare loop $(median <"$SCRATCH/bare")/s"
}

# The growth over a session that has warmed up, in kB.
measure_memory() {
	local name=$1 statement=$2 growth

	growth=$(run_psql postgres -qAt <<-SQL | tail -n 1
		$(endpoint_settings signed http)
		SELECT bench_calls(1000);
		SELECT bench_failing_calls(1000);
		SELECT bench_memory() AS before \gset
		$statement;
		SELECT bench_memory() - :before;
	SQL
	)
	judge "growth after $many $name, kB" "$growth" '<' 1024
}

setup_begin "$here" bench demo test
# what the session, the bare loop and the endpoint sign with
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY AWS_REGION=eu-west-1
say "building"
build_emulator && build_extension
as_user gcc -O2 -o "$SCRATCH/bare_loop" "$BUILD/test/bench/bare_loop.c" -lcurl
make_certificate
start_endpoint signed
start_endpoint unsigned --no-authentication
start_server AWS_REGION="$AWS_REGION"
run_psql postgres -q -c 'CREATE EXTENSION iotdata' -f "$BUILD/test/bench/bench.sql"
say "on $(nproc) processors, one call after the other, $rounds rounds of $calls calls, medians:"
measure_rate signed http 0.7
measure_rate signed https 0.7
# a loop that does not sign does less than a call must: what the whole of a call costs beside it
measure_rate unsigned http 0
measure_rate unsigned https 0
measure_memory "calls" "SELECT bench_calls($many)"
measure_memory "failing calls" "SELECT bench_failing_calls($many)"
exit "$missed"
