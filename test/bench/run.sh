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
	local rc=$? job

	trap '' INT TERM HUP
	for job in ${client:-} ${emulator:-}; do
		kill -TERM -- "-$job" 2>/dev/null || true
	done
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

# The local endpoint, and a client that is connected to it.
start_endpoint() {
	local port

	set -m # each in a process group of its own, to be ended as one
	as_user "$BUILD/emulator/iotdata-emulator" --no-authentication \
		--certificate "$SCRATCH/cert.pem" --key "$SCRATCH/key.pem" >"$SCRATCH/ports" &
	emulator=$!
	wait_for grep -q '^ready' "$SCRATCH/ports"
	port=$(sed -n 's/^mqtt .*://p' "$SCRATCH/ports")
	as_user mosquitto_sub -p "$port" -i bench -t bench >/dev/null &
	client=$!
	set +m
	wait_for curl_bare "$(url http)" 1
}

wait_for() {
	local tries=0

	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || die "waited in vain for: $*"
		read -rt 0.1 <> <(:) || true
	done
}

url() {
	printf '%s://localhost:%s/connections/bench?includeSocketInformation=false' "$1" \
		"$(sed -n "s/^$1 .*://p" "$SCRATCH/ports")"
}

curl_bare() {
	as_user "$SCRATCH/bare_loop" "$@" "$SCRATCH/cert.pem"
}

endpoint_settings() {
	printf "SET iotdata.endpoint_url = '%s://localhost:%s'; SET iotdata.ca_file = '%s';" "$1" \
		"$(sed -n "s/^$1 .*://p" "$SCRATCH/ports")" "$SCRATCH/cert.pem"
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
	printf '%-34s %10s   asked: %s %-6s %s%s\n' "$1" "$2" "$3" "$4" "$verdict" "${5:+   ($5)}"
}

# Rounds of both in turn, so that a change of the machine's speed meets both.
measure_rate() {
	local name=$1 ours bare i

	: >"$SCRATCH/ratios" && : >"$SCRATCH/ours" && : >"$SCRATCH/bare"
	for ((i = 0; i < rounds; i++)); do
		bare=$(curl_bare "$(url "$name")" "$calls")
		ours=$(run_psql -qAt -c "$(endpoint_settings "$name") SELECT bench_calls($calls)")
		awk "BEGIN { print $bare / $ours }" >>"$SCRATCH/ratios"
		awk "BEGIN { printf \"%d\n\", $calls / $ours }" >>"$SCRATCH/ours"
		awk "BEGIN { printf \"%d\n\", $calls / $bare }" >>"$SCRATCH/bare"
	done
	judge "rate over a bare loop's, $name" "$(median <"$SCRATCH/ratios")" '>=' 0.7 \
		"$(median <"$SCRATCH/ours") calls/s, bare loop $(median <"$SCRATCH/bare")/s"
}

# The growth over a session that has warmed up, in kB.
measure_memory() {
	local name=$1 statement=$2 growth

	growth=$(run_psql -qAt <<-SQL | tail -n 1
		$(endpoint_settings http)
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
say "building"
build_emulator && build_extension
as_user gcc -O2 -o "$SCRATCH/bare_loop" "$BUILD/test/bench/bare_loop.c" -lcurl
make_certificate
start_endpoint
start_server AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_REGION=eu-west-1 \
	AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
run_psql -q -c 'CREATE EXTENSION iotdata' -f "$BUILD/test/bench/bench.sql"
say "on $(nproc) processors, one call after the other, $rounds rounds of $calls calls, medians:"
measure_rate http
measure_rate https
measure_memory "calls" "SELECT bench_calls($many)"
measure_memory "failing calls" "SELECT bench_failing_calls($many)"
exit "$missed"
