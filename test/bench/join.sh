# shellcheck shell=bash
# A join with many devices: against a server that answers at once, beside a bare libcurl multi loop
# and AWS's JavaScript client; and against one that takes its time.

join_rounds=5
join_peer_calls=3000 # of AWS's client, which is slow
delay=20             # ms
delay_rounds=3

join_ours() {
	local seconds

	seconds=$(join_seconds "$server" "$answers")
	calculate "$DEVICES / $seconds"
}

join_bare() {
	bare_multi_rate "$server" "$DEVICES" "$status"
}

join_aws() {
	local seconds

	seconds=$(as_user env NODE_NO_WARNINGS=1 "$node" "$BUILD/test/bench/aws_client.mjs" "$server" "$join_peer_calls" "$CONCURRENCY")
	calculate "$join_peer_calls / $seconds"
}

# Sets "node"; fails where AWS's client cannot be had.
install_aws_client() {
	node=$(as_user "$BUILD/test/interop/install.sh" 2>"$SCRATCH/install-aws-client.log") || return 1
	as_user ln -s ../interop/node_modules "$BUILD/test/bench/node_modules"
}

figure_join() {
	local server answers=$DEVICES status=200 node sides=(join_bare join_ours)

	start_nginx
	server=$NGINX_HTTP
	! install_aws_client || sides+=(join_aws)
	say "a join of $DEVICES devices, $CONCURRENCY requests in flight, against nginx, medians of $join_rounds rounds:"
	alternate "$join_rounds" "${sides[@]}"
	judge "join over a bare multi loop's, http" "$(ratio join_ours join_bare)" '>=' 0.5 \
		"$(rate join_ours) devices/s, bare multi loop $(rate join_bare)/s"
	if [ "${#sides[@]}" = 3 ]; then
		judge "join over AWS's JavaScript client's, http" "$(ratio join_ours join_aws)" '>=' 10 \
			"AWS's client $(rate join_aws)/s"
	else
		skip "join over AWS's JavaScript client's, http" "$(tail -n 1 "$SCRATCH/install-aws-client.log")"
	fi
	server=$NGINX_HTTPS
	alternate "$join_rounds" join_bare join_ours
	inform "join over a bare multi loop's, https, HTTP/2" "$(ratio join_ours join_bare)" \
		"$(rate join_ours) devices/s, bare multi loop $(rate join_bare)/s"
}

# The endpoint knows none of the devices, which is an answer like any other.
figure_delay() {
	local server answers=0 status=404 limit

	start_endpoint delay --no-authentication --delay "$delay"
	server=$(url delay http)
	limit=$(calculate "$CONCURRENCY * 1000 / $delay")
	say "the same when each answer takes $delay ms, medians of $delay_rounds rounds:"
	alternate "$delay_rounds" join_bare join_ours
	judge "join over $CONCURRENCY requests every $delay ms" "$(calculate "$(rate join_ours) / $limit" 3)" '>=' 0.95 \
		"$(rate join_ours) devices/s of $limit; bare multi loop $(calculate "$(rate join_bare) / $limit" 3), $(rate join_bare)/s"
	# where the loop misses it too, the machine is slow to wake up, or the server to answer
	inform "join over a bare multi loop's, $delay ms" "$(ratio join_ours join_bare)"
}
