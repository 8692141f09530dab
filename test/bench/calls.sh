# shellcheck shell=bash
# One call after the other in a session, against a bare libcurl loop and the same local endpoint,
# plain and over TLS; and how much many calls, good and failing, grow a backend.

calls=5000   # in a round
rounds=7     # of each kind
many=100000  # calls that must not grow the backend

# bare_loop NAME SCHEME COUNT: signed where the endpoint asks for it
bare_loop() {
	local region=()

	[ "$1" = unsigned ] || region=("$AWS_REGION")
	as_user "$SCRATCH/bare_loop" "$(url "$1" "$2")/connections/bench?includeSocketInformation=false" \
		"$3" "$SCRATCH/cert.pem" "${region[@]}"
}

# A local endpoint, and a client that is connected to it.
start_endpoint_with_client() {
	start_endpoint "$@"
	start_program "client-$1" mosquitto_sub -p "$(port "$1" mqtt)" -i bench -t bench
	wait_until "the client did not connect" bare_loop "$1" http 1
}

calls_bare() {
	local seconds

	seconds=$(bare_loop "$endpoint" "$scheme" "$calls")
	calculate "$calls / $seconds"
}

calls_ours() {
	local seconds

	seconds=$(run_psql postgres -qAt -c "$(unlimited "$(url "$endpoint" "$scheme")") SELECT bench_calls($calls)")
	calculate "$calls / $seconds"
}

# calls_rate ENDPOINT SCHEME ASKED
calls_rate() {
	local endpoint=$1 scheme=$2

	alternate "$rounds" calls_bare calls_ours
	judge "calls over a bare loop's, $scheme, $endpoint" "$(ratio calls_ours calls_bare)" '>=' "$3" \
		"$(rate calls_ours) calls/s, bare loop $(rate calls_bare)/s"
}

# calls_growth WHAT STATEMENT: over a session that has warmed up, in kB
calls_growth() {
	local growth

	growth=$(
		run_psql postgres -qAt <<-SQL | tail -n 1
			$(unlimited "$(url signed http)")
			SELECT bench_calls(1000);
			SELECT bench_failing_calls(1000);
			SELECT bench_memory() AS before \gset
			$2;
			SELECT bench_memory() - :before;
		SQL
	)
	judge "growth after $many $1, kB" "$growth" '<' 1024
}

figure_calls() {
	start_endpoint_with_client signed
	start_endpoint_with_client unsigned --no-authentication
	say "one call after the other, medians of $rounds rounds of $calls calls:"
	calls_rate signed http 0.7
	calls_rate signed https 0.7
	# a loop that does not sign does less than a call must: what the whole of a call costs beside it
	calls_rate unsigned http 0
	calls_rate unsigned https 0
	calls_growth calls "SELECT bench_calls($many)"
	calls_growth "failing calls" "SELECT bench_failing_calls($many)"
}
