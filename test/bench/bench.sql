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

-- Memory of this backend that is its own, in kB, by the kernel's account.
CREATE FUNCTION bench_memory() RETURNS integer LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s+(\d+) kB')::integer
$$;
