# shellcheck shell=bash
# The local endpoint by itself: how many signed requests it answers in a second, so that it does not
# limit what is measured against it. wrk asks for one client's connection over and over; beside it
# nginx, which checks nothing and knows nobody.

endpoint_rounds=5
endpoint_seconds=3 # of a round
endpoint_path=/connections/bench

# wrk_rate URL: requests in a second, with the headers in wrk.lua
wrk_rate() {
	as_user wrk -t 1 -c "$CONCURRENCY" -d "${endpoint_seconds}s" -s "$SCRATCH/wrk.lua" "$1$endpoint_path" >"$SCRATCH/wrk.log"
	! grep -q '^ *Non-2xx' "$SCRATCH/wrk.log" || die "requests of wrk were refused: $(cat "$SCRATCH/wrk.log")"
	awk '/^Requests\/sec:/ { printf "%.0f\n", $2 }' "$SCRATCH/wrk.log"
}

# Nanoseconds of a processor that a program has had.
program_time() {
	awk '{ print $1 }' "/proc/$(cat "$SCRATCH/pids/$1")/schedstat"
}

endpoint_ours() {
	local begun rate

	begun=$(program_time endpoint)
	rate=$(wrk_rate "$(url endpoint http)")
	calculate "($(program_time endpoint) - $begun) / 1000 / ($rate * $endpoint_seconds)" 1 >>"$SCRATCH/endpoint.times"
	printf '%s\n' "$rate"
}

endpoint_nginx() {
	wrk_rate "$NGINX_HTTP"
}

figure_endpoint() {
	start_endpoint_with_client endpoint
	start_nginx
	perl -I"$BUILD/test/perl" "$BUILD/test/bench/wrk_request.pl" "$(url endpoint http)$endpoint_path" |
		as_user tee "$SCRATCH/wrk.lua" >/dev/null
	say "signed requests to the local endpoint, by wrk over $CONCURRENCY connections, medians of $endpoint_rounds rounds of $endpoint_seconds s:"
	alternate "$endpoint_rounds" endpoint_nginx endpoint_ours
	judge "signed requests/s, local endpoint" "$(rate endpoint_ours)" '>=' 40000 \
		"$(median <"$SCRATCH/endpoint.times") µs of processor each; nginx $(rate endpoint_nginx)/s"
}
