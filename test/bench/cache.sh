# shellcheck shell=bash
# The same join again, with answers that are no older than an hour: no request, and little time. Then
# single calls that the cache answers, by four sessions and by eight, and what fits into the memory.

cache_rounds=9
cache_seconds=3  # of pgbench
cache_fill=130000 # devices that the default of 16 MB must hold
cache_many=250000 # more than it can
repeats_rows=100000
repeats_devices=20000 # in turn
repeats_rounds=3

# cache_times SETTING QUERY: milliseconds that the query's executions take, a line each
cache_times() {
	local i

	{
		printf '%s %s;\n' "$(unlimited "$NGINX_HTTP")" "$1"
		# each is planned anew, as in a session that comes and goes
		for ((i = 0; i < cache_rounds; i++)); do
			printf 'EXPLAIN (ANALYZE, TIMING OFF) %s;\n' "$2"
		done
	} | run_psql postgres -qAt | sed -n 's/^Execution Time: \(.*\) ms$/\1/p'
}

# cache_reads SESSIONS FILE: how often the sessions run it in a second
cache_reads() {
	as_user env PGOPTIONS="-c iotdata.endpoint_url=$NGINX_HTTP -c iotdata.read_rate=0" \
		taskset -c "0-$(($(nproc) - 1))" "$BINDIR/pgbench" -n -M prepared -h "$SCRATCH" -U postgres -c "$1" -j 2 -T "$cache_seconds" \
		-f "$SCRATCH/$2.sql" postgres 2>&1 | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

cache_reads_of_4() { cache_reads 4 cache; }
cache_reads_of_8() { cache_reads 8 cache; }
plain_reads_of_4() { cache_reads 4 plain; }
plain_reads_of_8() { cache_reads 8 plain; }

# On all processors: nginx has nothing to do.
cache_sessions() {
	local last=$(($(nproc) - 1)) reads plain

	as_user tee "$SCRATCH/cache.sql" >/dev/null <<-SQL
		\\set i random(1, $DEVICES)
		SELECT c.connected FROM iotdata.get_connection('device-' || lpad(:i::text, 6, '0'), max_age => '1 hour') c;
	SQL
	as_user tee "$SCRATCH/plain.sql" >/dev/null <<<'SELECT true;'
	run_on "0-$last"
	alternate 3 cache_reads_of_4 cache_reads_of_8 plain_reads_of_4 plain_reads_of_8
	[ "$last" = 0 ] || run_on "1-$last"
	# eight take turns on the processors, whatever they do: SELECT true says what that costs
	reads=$(ratio cache_reads_of_8 cache_reads_of_4)
	plain=$(ratio plain_reads_of_8 plain_reads_of_4)
	judge "cached reads of 8 sessions to those of 4" "$reads" '>=' 1 \
		"$(rate cache_reads_of_8) and $(rate cache_reads_of_4) a second; SELECT true $plain"
}

# cache_join DEVICES: the join of so many, whose client IDs have 20 bytes
cache_join() {
	join "(SELECT format('d-%s', lpad(i::text, 18, '0')) AS client_id FROM generate_series(1, $1) i)" "max_age => '1 hour'"
}

# How many are still there, and what each takes.
cache_capacity() {
	local said

	said=$(
		run_psql postgres -qAt -F ' ' <<-SQL
			$(unlimited "$NGINX_HTTP")
			SELECT iotdata.cache_reset(), iotdata.stat_reset() \g /dev/null
			$(cache_join "$cache_fill") \g /dev/null
			SELECT entries, round(bytes_used::numeric / entries, 1), evictions FROM iotdata.stat_cache;
		SQL
	)
	# shellcheck disable=SC2086
	set -- $said
	judge "answers that 16 MB hold" "$1" '>=' "$((cache_fill * 998 / 1000))" "of $cache_fill; $3 evicted"
	judge "bytes of an answer to a client ID of 20" "$2" '<=' 128
}

# A join of more devices than fit, a second time.
cache_round() {
	local said

	said=$(
		run_psql postgres -qAt -F ' ' <<-SQL
			$(unlimited "$NGINX_HTTP")
			$(cache_join "$cache_many") \g /dev/null
			SELECT entries * 5 / 4 AS devices, entries FROM iotdata.stat_cache \gset
			SELECT iotdata.cache_reset() \g /dev/null
			$(cache_join :devices) \g /dev/null
			SELECT iotdata.stat_reset() \g /dev/null
			$(cache_join :devices) \g /dev/null
			SELECT round(hits::numeric / :devices, 3), :devices, :entries FROM iotdata.stat_cache;
		SQL
	)
	# shellcheck disable=SC2086
	set -- $said
	judge "hits of a join of 1.25 times what fits" "$1" '>=' 0.5 "the second join of $2 devices; $3 fit"
}

# repeats_rate WORK_MEM: rows a second, without a max_age
repeats_rate() {
	local said requests

	requests=$(nginx_requests)
	said=$(
		run_psql postgres -qAt <<-SQL
			$(unlimited "$NGINX_HTTP")
			SET work_mem = '$1';
			SELECT FROM ($WARM_UP) AS warm_up \gset
			SELECT clock_timestamp() AS begun \gset
			$(join "(SELECT format('turn-%s', lpad((i % $repeats_devices)::text, 6, '0')) AS client_id FROM generate_series(1, $repeats_rows) i)") \g /dev/null
			SELECT extract(epoch FROM clock_timestamp() - :'begun'::timestamptz);
		SQL
	)
	# those of the warm-up, and the second look at the count
	echo "$(($(nginx_requests) - requests - 1000 - 1))" >"$SCRATCH/repeats.requests"
	calculate "$repeats_rows / $said"
}

repeats_in_work_mem() { repeats_rate 64MB; }
repeats_beyond_work_mem() { repeats_rate 4MB; }

cache_repeats() {
	alternate "$repeats_rounds" repeats_in_work_mem repeats_beyond_work_mem
	judge "requests for $repeats_devices devices in turn" "$(cat "$SCRATCH/repeats.requests")" == "$repeats_devices" \
		"$repeats_rows rows, work_mem 4 MB"
	judge "join of them over one with 64 MB" "$(ratio repeats_beyond_work_mem repeats_in_work_mem)" '>=' 0.6 \
		"$(calculate "$repeats_rows / $(rate repeats_beyond_work_mem)" 2) and $(calculate "$repeats_rows / $(rate repeats_in_work_mem)" 2) s"
}

figure_cache() {
	local query before requests rows fill="" scan without_jit

	start_nginx
	query=$(join device "max_age => '1 hour'")
	say "a join of $DEVICES devices whose answers are cached, medians of $cache_rounds:"
	fill=$(run_psql postgres -qAt -c "$(unlimited "$NGINX_HTTP") $query")
	[ "$fill" = "$DEVICES|$DEVICES" ] || die "the first join gave other rows: $fill"
	before=$(nginx_requests)
	rows=$(run_psql postgres -qAt -c "$(unlimited "$NGINX_HTTP") $query")
	cache_times "SET jit = on" "$query" >"$SCRATCH/cache.times"
	cache_times "SET jit = off" "$query" >"$SCRATCH/cache-without-jit.times"
	# the second look at the count is a request, too
	requests=$(($(nginx_requests) - before - 1))
	scan=$(cache_times "SET jit = on" "SELECT count(*), count(d.client_id) FROM device AS d" | median)
	without_jit=$(median <"$SCRATCH/cache-without-jit.times")
	judge "requests of a join from the cache" "$requests" == 0
	judge "rows of a join from the cache" "${rows%|*}" == "$DEVICES" "${rows#*|} of them connected"
	judge "execution of a join from the cache, ms" "$(median <"$SCRATCH/cache.times")" '<=' 12 \
		"without JIT $without_jit ms; a scan of the table alone $scan ms"
	cache_sessions
	cache_capacity
	cache_round
	cache_repeats
}
