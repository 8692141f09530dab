-- What test/bench/run.sh measures a session with.

-- Seconds that "calls" calls take, one after the other.
CREATE FUNCTION bench_calls(calls integer) RETURNS double precision
LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz;
BEGIN
	PERFORM iotdata.get_connection('bench');	-- opens the connection
	begun := clock_timestamp();
	FOR i IN 1 .. calls LOOP
		PERFORM iotdata.get_connection('bench');
	END LOOP;
	RETURN extract(epoch FROM clock_timestamp() - begun);
END $$;

-- The same many calls that all fail: the device is not connected.
CREATE FUNCTION bench_failing_calls(calls integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	failed integer := 0;
BEGIN
	FOR i IN 1 .. calls LOOP
		BEGIN
			PERFORM iotdata.send_direct_message('absent', 'a');
		EXCEPTION WHEN SQLSTATE 'IO404' THEN
			failed := failed + 1;
		END;
	END LOOP;
	ASSERT failed = calls;
END $$;

-- Memory of a process that is its own, in kB, by the kernel's account; NULL when it has ended.
CREATE FUNCTION bench_memory(process text) RETURNS integer LANGUAGE sql AS $$
	SELECT substring(pg_read_file(format('/proc/%s/status', process), 0, 10000, true) FROM 'RssAnon:\s+(\d+) kB')::integer
$$;

CREATE FUNCTION bench_memory() RETURNS integer LANGUAGE sql AS $$
	SELECT bench_memory('self')
$$;

-- Processor time that the session has had, in seconds.
CREATE FUNCTION bench_processor() RETURNS numeric LANGUAGE sql AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat', 0, 1000, true), ' ', 1)::numeric / 1000000000
$$;

-- The most memory that a session has had that is its own, in kB, as it is seen every 20 ms until the
-- session ends. "name" is its application_name; it need not have begun.
CREATE FUNCTION bench_peak_memory(name text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
	process integer;
	peak integer := 0;
	now integer;
BEGIN
	LOOP
		PERFORM pg_stat_clear_snapshot();
		SELECT pid INTO process FROM pg_stat_activity WHERE application_name = name;
		EXIT WHEN process IS NOT NULL;
		PERFORM pg_sleep(0.02);
	END LOOP;
	LOOP
		now := bench_memory(process::text);
		EXIT WHEN now IS NULL;
		peak := greatest(peak, now);
		PERFORM pg_sleep(0.02);
	END LOOP;
	RETURN peak;
END $$;

-- The devices that joins ask about.
CREATE TABLE device (
	id integer PRIMARY KEY,
	client_id text NOT NULL UNIQUE
);
