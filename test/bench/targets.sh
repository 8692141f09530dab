# shellcheck shell=bash
# What it costs to name a server: in the time of a call, and in the memory of a session that uses many.

named_calls=5000 # in a round
named_rounds=7   # of each kind
named_servers=1000

# The same endpoint, and the same keys.
targets_create() {
	run_psql postgres -q <<-SQL
		CREATE SERVER bench FOREIGN DATA WRAPPER iotdata_fdw
			OPTIONS (region '$AWS_REGION', endpoint_url '$NGINX_HTTP', read_rate '0', send_rate '0');
		CREATE ROLE bench_user LOGIN;
		GRANT USAGE ON SCHEMA iotdata TO bench_user;
		GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO bench_user;
		GRANT pg_read_all_stats TO bench_user;
		CREATE USER MAPPING FOR PUBLIC SERVER bench
			OPTIONS (access_key_id '$AWS_ACCESS_KEY_ID', secret_access_key '$AWS_SECRET_ACCESS_KEY');
		DO \$\$ BEGIN
			FOR i IN 1 .. $named_servers LOOP
				EXECUTE format('CREATE SERVER bench_%s FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region %L, endpoint_url %L)',
					i, '$AWS_REGION', '$NGINX_HTTP');
				EXECUTE format('CREATE USER MAPPING FOR PUBLIC SERVER bench_%s OPTIONS (access_key_id %L, secret_access_key %L)',
					i, 'AKIDBENCH' || i, '$AWS_SECRET_ACCESS_KEY');
				EXECUTE format('GRANT USAGE ON FOREIGN SERVER bench_%s TO bench_user', i);
			END LOOP;
		END \$\$;
	SQL
}

# targets_rate [SERVER]: calls a second in a session with this iotdata.server
targets_rate() {
	local seconds

	seconds=$(run_psql postgres -qAt -c "$(unlimited "$NGINX_HTTP") SET iotdata.server = '${1:-}'; SELECT bench_calls($named_calls)")
	calculate "$named_calls / $seconds"
}

targets_default() { targets_rate; }
targets_named() { targets_rate bench; }

# What the session's memory contexts hold afterwards, those of PostgreSQL's caches included, of a role that
# is no superuser: privileges are looked up for it.
targets_growth() {
	local growth

	growth=$(
		run_psql postgres -qAt -U bench_user <<-SQL | tail -n 1
			SELECT FROM iotdata.get_connection('bench', server => 'bench_1') \gset
			SELECT count(c.connected) FROM generate_series(1, 10) AS i, LATERAL iotdata.get_connection('bench', server => 'bench_' || i) AS c;
			SELECT sum(total_bytes) AS before FROM pg_backend_memory_contexts \gset
			SELECT count(c.connected) FROM generate_series(1, $named_servers) AS i,
				LATERAL iotdata.get_connection('bench', server => 'bench_' || i) AS c;
			SELECT (sum(total_bytes) - :before)::bigint / 1024 FROM pg_backend_memory_contexts;
		SQL
	)
	judge "growth for $named_servers servers, kB" "$growth" '<' 4096
}

figure_targets() {
	start_nginx
	targets_create
	say "calls to a named server, medians of $named_rounds rounds of $named_calls calls:"
	alternate "$named_rounds" targets_default targets_named
	judge "calls to a named server over the default's" "$(ratio targets_named targets_default)" '>=' 0.95 \
		"$(rate targets_named) calls/s, default target $(rate targets_default)/s"
	targets_growth
}
