-- What demo/run.sh shows after the server was started again, with the job that demo.sql scheduled.
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
SET timezone = 'UTC';
\! "$DEVICE" prints thermostat-1
\! "$DEVICE" prints thermostat-2
-- until pg_cron has noted the job's end
DO $$
BEGIN
	FOR i IN 1 .. 6000 LOOP
		EXIT WHEN EXISTS (SELECT FROM cron.job_run_details WHERE status IN ('succeeded', 'failed'));
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
\set ECHO queries
SELECT j.jobname, r.status, r.return_message
FROM cron.job_run_details r JOIN cron.job j USING (jobid);
