# shellcheck shell=bash
# What it costs to put messages into the outbox, beside what PostgreSQL's own means cost to put the
# same rows into a plain table. Nobody sends them meanwhile.

queue_rounds=5
queue_rows=20000  # of a trigger
queue_many=100000 # of one statement, and empty commits

queue_tables() {
	run_psql postgres -q <<-'SQL'
		ALTER SYSTEM SET iotdata.outbox_workers = 0;
		ALTER SYSTEM SET iotdata.outbox_max = 0;
		SELECT pg_reload_conf() \g /dev/null
		CREATE TABLE plain (LIKE iotdata.outbox, PRIMARY KEY (id));
		CREATE TABLE indexed (LIKE iotdata.outbox INCLUDING INDEXES);
		CREATE SEQUENCE plain_id;
		CREATE FUNCTION plain_row() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO plain (id, device, xid, home, owner, queued_at, client_id, topic, payload)
			VALUES (nextval('plain_id'), hashtextextended(NEW.client_id, 0), pg_current_xact_id()::text::bigint, 1, 'postgres',
				clock_timestamp(), NEW.client_id, 'device/' || NEW.client_id || '/config', convert_to(NEW.config::text, 'UTF8'));
			RETURN NULL;
		END $$;
		CREATE TABLE untriggered (client_id text, config jsonb);
		CREATE TABLE queueing (LIKE untriggered);
		CREATE TRIGGER config AFTER INSERT ON queueing FOR EACH ROW EXECUTE FUNCTION
			iotdata.queue_direct_message_trigger('client_id', 'device/{client_id}/config', 'config');
		CREATE TABLE inserting (LIKE untriggered);
		CREATE TRIGGER config AFTER INSERT ON inserting FOR EACH ROW EXECUTE FUNCTION plain_row();
	SQL
}

# queue_seconds STATEMENT: what it takes a session that has done such a thing before
queue_seconds() {
	run_psql postgres -qAt <<-SQL | tail -n 1
		TRUNCATE iotdata.outbox, plain, indexed, untriggered, queueing, inserting;
		SELECT iotdata.queue_direct_message('warm', 'a') \g /dev/null
		SELECT clock_timestamp() AS begun \gset
		$1;
		SELECT extract(epoch FROM clock_timestamp() - :'begun'::timestamptz);
	SQL
}

# queue_trigger TABLE: µs for a row of it
queue_trigger() {
	calculate "$(queue_seconds "INSERT INTO $1 SELECT format('device-%s', i % 1000), '{\"on\": true}' FROM generate_series(1, $queue_rows) i") * 1000000 / $queue_rows" 2
}

queue_untriggered() { queue_trigger untriggered; }
queue_queueing() { queue_trigger queueing; }
queue_inserting() { queue_trigger inserting; }

# Without what the row itself costs.
queue_triggers() {
	local row ours plain

	alternate "$queue_rounds" queue_untriggered queue_inserting queue_queueing
	row=$(rate queue_untriggered)
	ours=$(calculate "$(rate queue_queueing) - $row" 2)
	plain=$(calculate "$(rate queue_inserting) - $row" 2)
	judge "trigger over one that inserts the row" "$(calculate "$ours / $plain" 2)" '<=' 1.3 \
		"$ours µs, PL/pgSQL and a plain table $plain µs; the row itself $row µs"
}

# ---- one statement ----------------------------------------------------------------------------

queue_statement() {
	queue_seconds "SELECT count(iotdata.queue_direct_message(format('device-%s', i % 1000), 'a/b', '{\"on\": true}'::text)) FROM generate_series(1, $queue_many) i"
}

queue_plain_statement() {
	queue_seconds "INSERT INTO indexed (id, device, xid, home, owner, payload_type, queued_at, client_id, topic, payload)
		SELECT nextval('plain_id'), hashtextextended(format('device-%s', i % 1000), 0), pg_current_xact_id()::text::bigint, 1, 'postgres', 'text',
			clock_timestamp(), format('device-%s', i % 1000), 'a/b', convert_to('{\"on\": true}', 'UTF8') FROM generate_series(1, $queue_many) i"
}

queue_statements() {
	alternate "$queue_rounds" queue_plain_statement queue_statement
	inform "$queue_many rows over an INSERT" "$(ratio queue_statement queue_plain_statement)" \
		"$(calculate "$(rate queue_statement) * 1000000 / $queue_many" 1) µs a message, INSERT into a plain table with the same indexes $(calculate "$(rate queue_plain_statement) * 1000000 / $queue_many" 1) µs"
}

# ---- a session that has queued ----------------------------------------------------------------

# queue_commits QUEUED: seconds of a processor for empty commits, after so many that queued a message each
queue_commits() {
	run_psql postgres -qAt <<-SQL
		TRUNCATE iotdata.outbox;
		DO \$\$ BEGIN
			FOR i IN 1 .. $1 LOOP
				PERFORM iotdata.queue_direct_message('device', 'a');
				COMMIT;
			END LOOP;
		END \$\$;
		SELECT bench_processor() AS before \gset
		DO \$\$ BEGIN
			FOR i IN 1 .. $queue_many LOOP
				COMMIT;
			END LOOP;
		END \$\$;
		SELECT round(bench_processor() - :before, 3);
	SQL
}

queue_commits_after_1() { queue_commits 1; }
queue_commits_after_20000() { queue_commits 20000; }

queue_empty_commits() {
	alternate "$queue_rounds" queue_commits_after_1 queue_commits_after_20000
	judge "$queue_many empty commits, 20,000 queued over 1" "$(ratio queue_commits_after_20000 queue_commits_after_1)" '<=' 1.1 \
		"$(rate queue_commits_after_20000) s, after 1 $(rate queue_commits_after_1) s"
}

figure_queue() {
	say "messages put into the outbox, medians of $queue_rounds rounds:"
	queue_tables
	queue_triggers
	queue_statements
	queue_empty_commits
	run_psql postgres -q <<-'SQL'
		TRUNCATE iotdata.outbox;
		ALTER SYSTEM RESET iotdata.outbox_workers;
		SELECT pg_reload_conf() \g /dev/null
	SQL
}
