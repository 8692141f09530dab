# shellcheck shell=bash
# One call after the other in a session, beside a bare libcurl loop, which does not sign, against
# nginx, plain and over TLS; and how much many calls, good and failing, grow a backend.

calls=5000   # in a round
rounds=7     # of each kind
many=100000  # calls that must not grow the backend

# bare_loop URL COUNT [REGION]: signed where the endpoint asks for it
bare_loop() {
	as_user "$SCRATCH/bare_loop" "$1/connections/bench?includeSocketInformation=false" "$2" "$SCRATCH/cert.pem" "${@:3}"
}

# A local endpoint, and a client that is connected to it.
start_endpoint_with_client() {
	start_endpoint "$@"
	start_program "client-$1" mosquitto_sub -p "$(port "$1" mqtt)" -i bench -t bench
	wait_until "the client did not connect" bare_loop "$(url "$1" http)" 1 "$AWS_REGION"
}

calls_bare() {
	local seconds

	seconds=$(bare_loop "$server" "$calls")
	calculate "$calls / $seconds"
}

calls_ours() {
	local seconds

	seconds=$(run_psql postgres -qAt -c "$(unlimited "$server") SELECT bench_calls($calls)")
	calculate "$calls / $seconds"
}

# calls_rate SCHEME URL
calls_rate() {
	local server=$2

	alternate "$rounds" calls_bare calls_ours
	judge "calls over a bare loop's, $1" "$(ratio calls_ours calls_bare)" '>=' 1.0 \
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
	start_nginx
	start_endpoint_with_client signed
	say "one call after the other, medians of $rounds rounds of $calls calls:"
	calls_rate http "$NGINX_HTTP"
	calls_rate https "$NGINX_HTTPS"
	calls_growth calls "SELECT bench_calls($many)"
	calls_growth "failing calls" "SELECT bench_failing_calls($many)"
}
