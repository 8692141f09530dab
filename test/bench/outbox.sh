# shellcheck shell=bash
# Messages of the outbox on their way out, by one worker. They go to nginx where the rate is what is
# asked, and to an endpoint that writes down when each came everywhere else. Backlogs are queued in
# one transaction, so that the worker sees all of one or nothing; a rate counts from that commit to
# the last request.

outbox_delay=50                      # ms
outbox_concurrency=256               # the default of iotdata.outbox_concurrency
outbox_limit=$((outbox_concurrency * 1000 / outbox_delay)) # messages/s
outbox_fast=40000                    # messages of a round against nginx
outbox_rounds=3
outbox_held=${OUTBOX_SECONDS:-20}    # seconds beside an old snapshot; a minute says more
outbox_sent=30000                    # messages sent with so many waiting
outbox_waiting=${OUTBOX_WAITING:-200000} # messages of the large backlog; a million says more

# ---- what is sent, and where ------------------------------------------------------------------

# outbox_worker: its process, or nothing
outbox_worker() {
	run_psql postgres -qAt -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'iotdata outbox'"
}

# Seconds that a process has had of a processor; and that it has waited for one, which says how much
# else the machine has to do.
outbox_processor() {
	awk '{ printf "%.6f\n", $1 / 1e9 }' "/proc/$1/schedstat"
}

outbox_starved() {
	awk '{ printf "%.6f\n", $2 / 1e9 }' "/proc/$1/schedstat"
}

# outbox_send_to URL: an empty outbox, and a new worker, which has sent there once
outbox_send_to() {
	run_psql postgres -q <<-SQL
		ALTER SYSTEM SET iotdata.endpoint_url = '$1';
		ALTER SYSTEM SET iotdata.ca_file = '$SCRATCH/cert.pem';
		ALTER SYSTEM SET iotdata.send_rate = 0;
		ALTER SYSTEM SET iotdata.outbox_max = 0;
		SELECT pg_reload_conf() \g /dev/null
	SQL
	outbox_empty
	run_psql postgres -q <<<"SELECT iotdata.queue_direct_message('first', 'a') \g /dev/null"
	wait_until "a message was not sent" outbox_is_idle
}

# No worker may be sending what is taken away.
outbox_empty() {
	run_psql postgres -q <<-'SQL'
		BEGIN;
		LOCK TABLE iotdata.outbox IN ACCESS EXCLUSIVE MODE;
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'iotdata outbox' \g /dev/null
		TRUNCATE iotdata.outbox, iotdata.outbox_retry, iotdata.outbox_ended;
		COMMIT;
	SQL
}

outbox_is_idle() {
	[ -n "$(outbox_worker)" ] && [ "$(run_psql postgres -qAt -c 'SELECT count(*) FROM iotdata.outbox')" = 0 ]
}

# outbox_message CLIENT: an expression that queues one
outbox_message() {
	printf "iotdata.queue_direct_message(%s, 'a/b', '{\"on\": true}'::text)" "$1"
}

# outbox_messages COUNT DEVICES [NAME]: a query that queues them
outbox_messages() {
	printf 'SELECT count(%s) FROM generate_series(1, %s) i' "$(outbox_message "'${3:-device}-' || i % $2")" "$1"
}

# outbox_queue QUERY...: in one transaction; prints when it was committed, in µs since 1970
outbox_queue() {
	printf '%s;\n' BEGIN "$@" COMMIT "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint" |
		run_psql postgres -qAt | tail -n 1
}

# stamping DELAY: starts the endpoint that writes down when requests came; sets "stamps"
stamping() {
	local name=stamping-$1

	stamps=$SCRATCH/$name.stamps
	if [ ! -e "$stamps" ]; then
		start_program "$name" "${SERVERS_ON[@]}" "$SCRATCH/stamping_endpoint" "$1" "$stamps"
		wait_until "the endpoint did not start" grep -q '^ready' "$SCRATCH/$name.log"
	fi
	outbox_send_to "$(head -n 1 "$SCRATCH/$name.log")"
	: >"$stamps"
}

# stamped COUNT [NAME]: have so many requests come, of the clients whose IDs begin so?
stamped() {
	[ "$(grep -c "connections/${2:-device}" "$stamps")" -ge "$1" ]
}

# stamped_rate COMMITTED COUNT [DELAY]: messages in a second, from the commit to the last answer, which
# comes so many milliseconds after its request
stamped_rate() {
	wait_until "messages were not sent" stamped "$2"
	grep connections/device "$stamps" |
		awk -v begun="$1" -v count="$2" -v delay="${3:-0}" 'NR == count { printf "%.0f\n", count / ($1 + delay * 1000 - begun) * 1e6 }'
}

# ---- an endpoint that takes its time ----------------------------------------------------------

outbox_slow_ours() {
	stamping "$outbox_delay"
	stamped_rate "$(outbox_queue "$(outbox_messages $((outbox_limit * 3)) 2000)")" $((outbox_limit * 3)) "$outbox_delay"
}

outbox_slow_bare() {
	local seconds

	read -r seconds _ < <(as_user "$SCRATCH/bare_multi" "$(head -n 1 "$SCRATCH/stamping-$outbox_delay.log")" \
		$((outbox_limit * 3)) "$outbox_concurrency" "$SCRATCH/cert.pem")
	calculate "$outbox_limit * 3 / $seconds"
}

outbox_slow() {
	alternate "$outbox_rounds" outbox_slow_ours outbox_slow_bare
	judge "messages over $outbox_concurrency every $outbox_delay ms" "$(calculate "$(rate outbox_slow_ours) / $outbox_limit" 3)" '>=' 0.92 \
		"$(rate outbox_slow_ours) messages/s of $outbox_limit; bare multi loop $(calculate "$(rate outbox_slow_bare) / $outbox_limit" 3); batches of 200 with a pause 204/s"
}

# ---- one that does not ------------------------------------------------------------------------

outbox_nginx_has() {
	[ "$(nginx_requests)" -ge "$1" ]
}

# Messages in a second to nginx at $server. What each takes of a processor, in µs, is kept, and the
# part of the time in which the worker had none.
outbox_nginx() {
	local committed before worker processor starved seconds

	outbox_send_to "$server"
	worker=$(outbox_worker)
	before=$(nginx_requests)
	processor=$(outbox_processor "$worker")
	starved=$(outbox_starved "$worker")
	committed=$(outbox_queue "$(outbox_messages "$outbox_fast" 10000)")
	wait_until "messages were not sent" outbox_nginx_has $((before + outbox_fast))
	seconds=$(calculate "($(date +%s%6N) - $committed) / 1000000" 3)
	calculate "$outbox_fast / $seconds"
	calculate "100 * ($(outbox_starved "$worker") - $starved) / $seconds" >>"$SCRATCH/outbox_nginx.starved"
	calculate "($(outbox_processor "$worker") - $processor) * 1000000 / $outbox_fast" 1 >>"$SCRATCH/outbox_nginx.times"
}

outbox_nginx_bare() {
	local seconds

	read -r seconds _ < <(as_user "$SCRATCH/bare_multi" "$server" "$outbox_fast" "$outbox_concurrency" "$SCRATCH/cert.pem")
	calculate "$outbox_fast / $seconds"
}

# outbox_fast SCHEME URL ASKED
outbox_fast() {
	local server=$2

	rm -f "$SCRATCH"/outbox_nginx.{times,starved}
	alternate "$outbox_rounds" outbox_nginx outbox_nginx_bare
	judge "messages/s, $1" "$(rate outbox_nginx)" '>=' "$3" \
		"$(median <"$SCRATCH/outbox_nginx.times") µs of processor each; waited for one $(median <"$SCRATCH/outbox_nginx.starved") % of the time; bare multi loop $(rate outbox_nginx_bare)/s"
}

# ---- how soon ---------------------------------------------------------------------------------

# Each message has in its topic when its transaction was about to be committed.
outbox_script() {
	as_user tee "$SCRATCH/outbox.sql" >/dev/null <<-'SQL'
		\set i random(1, 10000)
		SELECT iotdata.queue_direct_message('device-' || :i, 't' || (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, '{"on": true}'::text);
	SQL
}

# outbox_commits RATE SECONDS: transactions with a message each
outbox_commits() {
	as_user taskset -c "0-$(($(nproc) - 1))" "$BINDIR/pgbench" -n -M prepared -h "$SCRATCH" -U postgres -c 4 -j 1 -R "$1" -T "$2" \
		-f "$SCRATCH/outbox.sql" postgres >"$SCRATCH/pgbench.log" 2>&1 || die "pgbench failed: $(cat "$SCRATCH/pgbench.log")"
}

outbox_committed() {
	sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$SCRATCH/pgbench.log"
}

# Milliseconds from the stamp in the topic to the one of the request, sorted.
outbox_latencies() {
	sed -n 's/^\([0-9]*\) .*topic=t\([0-9]*\).*/\1 \2/p' "$stamps" | awk '{ printf "%.3f\n", ($1 - $2) / 1000 }' | sort -n
}

# outbox_soon RATE SECONDS
outbox_soon() {
	local worker processor starved

	stamping 0
	worker=$(outbox_worker)
	processor=$(outbox_processor "$worker")
	starved=$(outbox_starved "$worker")
	outbox_commits "$1" "$2"
	wait_until "messages were not sent" stamped "$(outbox_committed)"
	processor=$(calculate "($(outbox_processor "$worker") - $processor) * 1000000 / $(outbox_committed)")
	starved=$(calculate "100 * ($(outbox_starved "$worker") - $starved) / $2")
	outbox_latencies >"$SCRATCH/latencies"
	judge "commit to send at $1/s, median, ms" "$(median <"$SCRATCH/latencies")" '<' 2 \
		"95 % $(awk '{ value[NR] = $1 } END { print value[int(NR * 0.95)] }' "$SCRATCH/latencies") ms; $(calculate "$(outbox_committed) / $2") commits/s; $processor µs of processor each; waited for one $starved % of the time"
}

# ---- beside an old snapshot -------------------------------------------------------------------

# One that lasts until its input ends.
outbox_hold_snapshot() {
	coproc holder { run_psql postgres -qAt; }
	printf '%s;\n' 'BEGIN ISOLATION LEVEL REPEATABLE READ' 'SELECT txid_current()' >&"${holder[1]}"
	read -r <&"${holder[0]}"
}

outbox_old_snapshot() {
	local input worker begun early late backlog pgbench

	stamping 0
	outbox_hold_snapshot
	input=${holder[1]}
	worker=$(outbox_worker)
	outbox_commits 5000 "$outbox_held" &
	pgbench=$!
	begun=$(outbox_processor "$worker")
	sleep 10
	early=$(calculate "$(outbox_processor "$worker") - $begun" 3)
	sleep $((outbox_held - 20))
	begun=$(outbox_processor "$worker")
	sleep 10
	late=$(calculate "$(outbox_processor "$worker") - $begun" 3)
	wait "$pgbench"
	# what comes in a second is none
	backlog=$(($(outbox_committed) - $(wc -l <"$stamps")))
	exec {input}>&-
	judge "backlog beside an old snapshot" "$backlog" '<' 5000 \
		"$(calculate "$(outbox_committed) / $outbox_held") commits/s for $outbox_held s"
	judge "processor, last 10 s over the first" "$(calculate "$late / $early" 2)" '<=' 1.3 "$early and $late s"
}

# ---- behind a dead device ---------------------------------------------------------------------

outbox_alive() {
	stamping 0
	stamped_rate "$(outbox_queue "$(outbox_messages 20000 5000)")" 20000
}

outbox_behind_dead() {
	stamping 0
	stamped_rate "$(outbox_queue "$(outbox_messages 100000 1 dead)" "$(outbox_messages 20000 5000)")" 20000
}

outbox_dead_device() {
	alternate "$outbox_rounds" outbox_alive outbox_behind_dead
	judge "behind a dead device's 100,000" "$(ratio outbox_behind_dead outbox_alive)" '>=' 0.5 \
		"$(rate outbox_behind_dead)/s, without them $(rate outbox_alive)/s, of 20,000"
}

# ---- a large backlog --------------------------------------------------------------------------

# The most that the worker has had that is its own, in kB, until the requests are there.
outbox_memory() {
	local peak=0 kilobytes

	until stamped "$2"; do
		kilobytes=$(awk '/^RssAnon:/ { print $2 }' "/proc/$1/status")
		[ "$kilobytes" -le "$peak" ] || peak=$kilobytes
		sleep 0.05
	done
	printf '%s\n' "$peak"
}

# outbox_middle_rate COUNT: requests in a second, of so many without the first of them
outbox_middle_rate() {
	awk -v count="$1" 'NR == 1000 { begun = $1 } NR == count { printf "%.0f\n", (count - 1000) / ($1 - begun) * 1e6 }' "$stamps"
}

# Some hundreds wait all the time, and never more than a thousand.
outbox_queue_few() {
	run_psql postgres -q <<-SQL
		DO \$\$ BEGIN
			FOR i IN 1 .. $outbox_sent / 500 LOOP
				PERFORM count($(outbox_message "'device-' || i * 500 + j")) FROM generate_series(1, 500) j;
				COMMIT;
				WHILE (SELECT count(*) FROM iotdata.outbox) > 500 LOOP
					COMMIT;
					PERFORM pg_sleep(0.001);
				END LOOP;
			END LOOP;
		END \$\$;
	SQL
}

# Both print the rate, and keep what a message takes of a processor.
outbox_few() {
	local worker processor

	stamping 0
	worker=$(outbox_worker)
	processor=$(outbox_processor "$worker")
	outbox_queue_few
	wait_until "messages were not sent" stamped "$outbox_sent"
	calculate "($(outbox_processor "$worker") - $processor) * 1000000 / $outbox_sent" 1 >>"$SCRATCH/outbox_few.times"
	outbox_middle_rate "$outbox_sent"
}

outbox_many() {
	local worker processor sent

	stamping 0
	outbox_queue "$(outbox_messages "$outbox_waiting" 100000)" >/dev/null
	# the worker that was there may have left meanwhile
	wait_until "messages were not sent" stamped 1000
	worker=$(outbox_worker)
	processor=$(outbox_processor "$worker")
	sent=$(wc -l <"$stamps")
	outbox_memory "$worker" "$outbox_sent" >>"$SCRATCH/outbox_many.memory"
	calculate "($(outbox_processor "$worker") - $processor) * 1000000 / ($(wc -l <"$stamps") - $sent)" 1 >>"$SCRATCH/outbox_many.times"
	outbox_empty
	outbox_middle_rate "$outbox_sent"
}

outbox_backlog() {
	local few many

	rm -f "$SCRATCH"/outbox_{few,many}.{times,memory}
	alternate "$outbox_rounds" outbox_few outbox_many
	few=$(median <"$SCRATCH/outbox_few.times")
	many=$(median <"$SCRATCH/outbox_many.times")
	judge "worker's memory, $outbox_waiting waiting, kB" "$(sort -n "$SCRATCH/outbox_many.memory" | tail -n 1)" '<' $((32 * 1024))
	judge "rate, $outbox_waiting waiting over 1,000" "$(ratio outbox_many outbox_few)" '>=' 0.9 \
		"$(rate outbox_many)/s, with 1,000 waiting $(rate outbox_few)/s"
	judge "processor, $outbox_waiting waiting over 1,000" "$(calculate "$many / $few" 2)" '<=' 1.1 "$many and $few µs a message"
}

figure_outbox() {
	local stamps last=$(($(nproc) - 1))

	start_nginx
	as_user gcc -O2 -Wall -Wextra -Werror -o "$SCRATCH/stamping_endpoint" "$BUILD/test/bench/stamping_endpoint.c"
	outbox_script
	say "messages of the outbox, one worker, $outbox_concurrency in flight:"
	outbox_slow
	outbox_fast http "$NGINX_HTTP" 10000
	outbox_fast https "$NGINX_HTTPS" 8000
	outbox_dead_device
	# sessions and the worker at the same time
	run_on "0-$last"
	outbox_backlog
	outbox_soon 100 5
	outbox_soon 5000 5
	outbox_old_snapshot
	[ "$last" = 0 ] || run_on "1-$last"
}
