# shellcheck shell=bash
# A join with many devices: against a server that answers at once, beside a bare libcurl multi loop,
# which does not sign, AWS's JavaScript and Go clients, and wrk; and against one that takes its time.
# Each side has the processors that the sessions have.

join_rounds=5
join_peer_calls=3000 # of AWS's JavaScript client, which is slow
join_wrk_seconds=2   # of a round
delay=20             # ms
delay_rounds=3

# rate_and_time SIDE COUNT SECONDS PROCESSOR: prints requests a second, and keeps what one of them
# takes of a processor, in µs
rate_and_time() {
	calculate "$4 * 1000000 / $2" 1 >>"$SCRATCH/$1.times"
	calculate "$2 / $3"
}

join_ours() {
	# shellcheck disable=SC2046 # two numbers
	rate_and_time join_ours "$DEVICES" $(join_seconds "$server" "$answers")
}

join_bare() {
	# shellcheck disable=SC2046
	rate_and_time join_bare "$DEVICES" $(bare_multi_seconds "$server" "$DEVICES" "$status")
}

join_go() {
	# shellcheck disable=SC2046
	rate_and_time join_go "$DEVICES" $(as_user "$SCRATCH/go_client" "$server" "$DEVICES" "$CONCURRENCY")
}

join_javascript() {
	local seconds

	seconds=$(as_user env NODE_NO_WARNINGS=1 "$node" "$BUILD/test/bench/aws_client.mjs" "$server" "$join_peer_calls" "$CONCURRENCY")
	calculate "$join_peer_calls / $seconds"
}

# wrk says how many requests it made, and bash what it took of a processor.
join_wrk() {
	local TIMEFORMAT='%U %S' requests

	{
		time as_user wrk -t 1 -c "$CONCURRENCY" -d "${join_wrk_seconds}s" "$server/connections/device" >"$SCRATCH/wrk.log"
	} 2>"$SCRATCH/wrk.time"
	requests=$(awk '/ requests in / { print $1 }' "$SCRATCH/wrk.log")
	rate_and_time join_wrk "$requests" "$join_wrk_seconds" "$(calculate "$(tr ' ' + <"$SCRATCH/wrk.time")" 6)"
}

# time_of SIDE: the median of what a request takes of a processor, in µs
time_of() {
	median <"$SCRATCH/$1.times"
}

# Sets "node"; fails where AWS's JavaScript client cannot be had.
install_javascript_client() {
	node=$(as_user "$BUILD/test/interop/install.sh" 2>"$SCRATCH/install-aws-client.log") || return 1
	as_user ln -s ../interop/node_modules "$BUILD/test/bench/node_modules"
}

# AWS's Go client, from Debian's packages, which have it as source.
build_go_client() {
	as_user env GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$SCRATCH/tmp/go" \
		go build -o "$SCRATCH/go_client" "$BUILD/test/bench/go_client/main.go"
}

# join_figures SCHEME ASKED: against nginx at $server
join_figures() {
	rm -f "$SCRATCH"/join_*.times
	alternate "$join_rounds" "${sides[@]}"
	judge "join over a bare multi loop's, $1" "$(ratio join_ours join_bare)" '>=' "$2" \
		"$(rate join_ours) devices/s, bare multi loop $(rate join_bare)/s"
	judge "join over AWS's Go client's, $1" "$(ratio join_ours join_go)" '>=' 2.5 \
		"AWS's Go client $(rate join_go)/s"
	inform "processor for a device, $1, µs" "$(time_of join_ours)" \
		"bare multi loop $(time_of join_bare), AWS's Go client $(time_of join_go), wrk $(time_of join_wrk)"
}

figure_join() {
	local server answers=$DEVICES status=200 node sides=(join_bare join_ours join_go join_wrk)

	start_nginx
	build_go_client
	say "a join of $DEVICES devices, $CONCURRENCY requests in flight, against nginx, medians of $join_rounds rounds:"
	# the Go client does not know the authority of the server's certificate
	export SSL_CERT_FILE=$SCRATCH/cert.pem
	server=$NGINX_HTTP
	join_figures http 1.1
	server=$NGINX_HTTPS
	join_figures https 1.2
	server=$NGINX_HTTP
	if install_javascript_client; then
		alternate "$join_rounds" join_ours join_javascript
		judge "join over AWS's JavaScript client's, http" "$(ratio join_ours join_javascript)" '>=' 10 \
			"AWS's JavaScript client $(rate join_javascript)/s"
	else
		skip "join over AWS's JavaScript client's, http" "$(tail -n 1 "$SCRATCH/install-aws-client.log")"
	fi
}

# The endpoint knows none of the devices, which is an answer like any other.
figure_delay() {
	local server answers=0 status=404 limit

	start_endpoint delay --no-authentication --delay "$delay"
	server=$(url delay http)
	limit=$(calculate "$CONCURRENCY * 1000 / $delay")
	say "the same when each answer takes $delay ms, medians of $delay_rounds rounds:"
	alternate "$delay_rounds" join_bare join_ours
	judge "join over $CONCURRENCY requests every $delay ms" "$(calculate "$(rate join_ours) / $limit" 3)" '>=' 0.96 \
		"$(rate join_ours) devices/s of $limit; bare multi loop $(calculate "$(rate join_bare) / $limit" 3), $(rate join_bare)/s"
	# where the loop misses it too, the machine is slow to wake up, or the server to answer
	inform "join over a bare multi loop's, $delay ms" "$(ratio join_ours join_bare)"
}
