# shellcheck shell=bash
# What a session is told, and the joins that are measured.

# target URL: requests go there
target() {
	printf "SET iotdata.endpoint_url = '%s'; SET iotdata.ca_file = '%s';" "$1" "$SCRATCH/cert.pem"
}

# unlimited URL: requests go there, and as fast as they can
unlimited() {
	target "$1"
	printf 'SET iotdata.read_rate = 0; SET iotdata.send_rate = 0;'
}

# join TABLE [ARGUMENT]: a query that asks about each row of a table
join() {
	printf 'SELECT count(*), count(c.connected) FROM %s AS d LEFT JOIN LATERAL iotdata.get_connection(d.client_id%s) AS c ON true' \
		"$1" "${2:+, $2}"
}

# Before it is measured, a session has opened its connections.
WARM_UP="$(join '(SELECT client_id FROM device LIMIT 1000)')"

# join_seconds URL ANSWERS: what the join of all devices takes, and how much of it on a processor.
# ANSWERS of them are connected.
join_seconds() {
	local said

	said=$(
		run_psql postgres -qAt -F ' ' <<-SQL
			$(unlimited "$1")
			$WARM_UP;
			SELECT clock_timestamp() AS begun, bench_processor() AS before \gset
			$(join device);
			SELECT extract(epoch FROM clock_timestamp() - :'begun'::timestamptz), bench_processor() - :before;
		SQL
	)
	[ "$(tail -n 2 <<<"$said" | head -n 1)" = "$DEVICES $2" ] || die "the join gave other rows: $said"
	tail -n 1 <<<"$said"
}

# bare_multi_seconds URL COUNT [STATUS]: the same of the bare multi loop
bare_multi_seconds() {
	as_user "$SCRATCH/bare_multi" "$1" "$2" "$CONCURRENCY" "$SCRATCH/cert.pem" "${3:-200}"
}
