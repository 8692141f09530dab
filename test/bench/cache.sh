# shellcheck shell=bash
# The same join again, with answers that are no older than an hour: no request, and little time.

kept_rounds=9

# kept_times SETTING QUERY: milliseconds that the query's executions take, a line each
kept_times() {
	local i

	{
		printf '%s %s;\n' "$(unlimited "$NGINX_HTTP")" "$1"
		# each is planned anew, as in a session that comes and goes
		for ((i = 0; i < kept_rounds; i++)); do
			printf 'EXPLAIN (ANALYZE, TIMING OFF) %s;\n' "$2"
		done
	} | run_psql postgres -qAt | sed -n 's/^Execution Time: \(.*\) ms$/\1/p'
}

figure_kept() {
	local query before requests rows fill="" scan without_jit

	start_nginx
	query=$(join device "max_age => '1 hour'")
	say "a join of $DEVICES devices whose answers were kept, medians of $kept_rounds:"
	fill=$(run_psql postgres -qAt -c "$(unlimited "$NGINX_HTTP") $query")
	[ "$fill" = "$DEVICES|$DEVICES" ] || die "the first join gave other rows: $fill"
	before=$(nginx_requests)
	rows=$(run_psql postgres -qAt -c "$(unlimited "$NGINX_HTTP") $query")
	kept_times "SET jit = on" "$query" >"$SCRATCH/kept.times"
	kept_times "SET jit = off" "$query" >"$SCRATCH/kept-without-jit.times"
	# the second look at the count is a request, too
	requests=$(($(nginx_requests) - before - 1))
	scan=$(kept_times "SET jit = on" "SELECT count(*), count(d.client_id) FROM device AS d" | median)
	without_jit=$(median <"$SCRATCH/kept-without-jit.times")
	judge "requests of a join that was kept" "$requests" == 0
	judge "rows of a join that was kept" "${rows%|*}" == "$DEVICES" "${rows#*|} of them connected"
	judge "execution of a join that was kept, ms" "$(median <"$SCRATCH/kept.times")" '<' 20 \
		"without JIT $without_jit ms; a scan of the table alone $scan ms"
}
