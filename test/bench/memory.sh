# shellcheck shell=bash
# What a join of very many rows makes a backend grow by. A row's device comes again only 100,000 rows
# later: no batch can know it.

memory_rows=1000000
memory_devices=100000
memory_work_mem=4096 # kB, PostgreSQL's default

# Reads the backend's RssAnon every 20 ms, from another session.
memory_watch() {
	run_psql postgres -qAt -c "SELECT bench_peak_memory('measured')"
}

figure_memory() {
	local watcher before peak rows begun seconds requests

	start_nginx
	say "a join of $memory_rows rows with $memory_devices devices:"
	run_psql postgres -q <<-SQL
		CREATE TABLE sighting AS
			SELECT format('device-%s', lpad((i % $memory_devices)::text, 6, '0')) AS client_id
			FROM generate_series(1, $memory_rows) AS i;
		VACUUM ANALYZE sighting;
	SQL
	memory_watch >"$SCRATCH/memory.peak" &
	watcher=$!
	requests=$(nginx_requests)
	begun=$(date +%s.%N)
	{
		read -r before
		read -r rows
	} < <(
		run_psql postgres -qAt <<-SQL
			SET application_name = 'measured';
			SET work_mem = '${memory_work_mem}kB';
			$(unlimited "$NGINX_HTTP")
			SELECT FROM ($WARM_UP) AS warm_up \gset
			SELECT bench_memory();
			$(join sighting);
		SQL
	)
	seconds=$(calculate "$(date +%s.%N) - $begun" 1)
	requests=$(($(nginx_requests) - requests - 1))
	wait "$watcher"
	peak=$(cat "$SCRATCH/memory.peak")
	[ "${peak:-0}" -gt 0 ] || die "the session's memory was not seen"
	judge "rows of the large join" "${rows%|*}" == "$memory_rows" "${rows#*|} of them connected, $requests requests, $seconds s"
	judge "growth beyond work_mem, kB" "$((peak - before - memory_work_mem))" '<' $((16 * 1024)) \
		"at most $peak kB, read every 20 ms; $before kB before; work_mem $memory_work_mem kB"
}
