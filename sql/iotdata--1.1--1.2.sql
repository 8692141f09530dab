-- iotdata 1.2: many calls at once, answers kept, statistics.

-- complain if the script is run by psql rather than by ALTER EXTENSION
\echo Use "ALTER EXTENSION iotdata UPDATE" to load this file. \quit

-- types

ALTER TYPE iotdata.connection ADD ATTRIBUTE observed_at timestamptz;

COMMENT ON COLUMN iotdata.connection.observed_at IS 'when the answer came';

CREATE TYPE iotdata.connection_result AS (
	client_id text,
	connection iotdata.connection,
	error_code text,
	error_message text
);

COMMENT ON TYPE iotdata.connection_result IS 'connection of an MQTT client, or the error that there was instead';
COMMENT ON COLUMN iotdata.connection_result.client_id IS 'MQTT client ID that was asked about';
COMMENT ON COLUMN iotdata.connection_result.connection IS 'its connection; NULL when the service knows none';
COMMENT ON COLUMN iotdata.connection_result.error_code IS 'SQLSTATE of the error; NULL when there was none';
COMMENT ON COLUMN iotdata.connection_result.error_message IS 'message of the error; NULL when there was none';

-- joins; only the planner calls it

CREATE FUNCTION iotdata.reading_support(internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'iotdata_reading_support'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION iotdata.reading_support(internal) IS
	'planner support of the reading functions: joins with them ask for many rows at once';

REVOKE ALL ON FUNCTION iotdata.reading_support(internal) FROM PUBLIC;

ALTER FUNCTION iotdata.list_subscriptions(text, integer) SUPPORT iotdata.reading_support;

-- connections; the function with max_age takes the place of the one without,
-- and beside it a call with fewer arguments would be ambiguous

CREATE FUNCTION iotdata.get_connection(
	client_id text,
	include_socket_information boolean DEFAULT false,
	max_age interval DEFAULT NULL)
RETURNS iotdata.connection
AS 'MODULE_PATHNAME', 'iotdata_get_connection'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000
SUPPORT iotdata.reading_support;

COMMENT ON FUNCTION iotdata.get_connection(text, boolean, interval) IS
	'connection of an MQTT client; NULL when the service knows none; an answer no older than max_age will do';

REVOKE ALL ON FUNCTION iotdata.get_connection(text, boolean, interval) FROM PUBLIC;

-- Who may call the old one may call the new one. What is granted while a script
-- runs counts as the extension's own and is not dumped, but these grants are
-- the database's: the initial privileges stay what they were.
DO $$
DECLARE
	old constant oid := 'iotdata.get_connection(text, boolean)'::regprocedure;
	new constant oid := 'iotdata.get_connection(text, boolean, interval)'::regprocedure;
	may record;
BEGIN
	FOR may IN
		SELECT a.grantee, bool_or(a.is_grantable) AS is_grantable
		FROM pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a
		WHERE p.oid = old AND a.grantee <> p.proowner
		GROUP BY a.grantee
	LOOP
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s%s', new::regprocedure,
			CASE WHEN may.grantee = 0 THEN 'PUBLIC' ELSE may.grantee::regrole::text END,
			CASE WHEN may.is_grantable THEN ' WITH GRANT OPTION' END);
	END LOOP;
	UPDATE pg_catalog.pg_init_privs n SET initprivs = o.initprivs
	FROM pg_catalog.pg_init_privs o
	WHERE n.classoid = 'pg_catalog.pg_proc'::regclass AND n.objoid = new AND n.objsubid = 0
		AND o.classoid = n.classoid AND o.objoid = old AND o.objsubid = 0;
END $$;

DROP FUNCTION iotdata.get_connection(text, boolean);

CREATE FUNCTION iotdata.get_connections(
	client_ids text[],
	include_socket_information boolean DEFAULT false,
	max_age interval DEFAULT NULL)
RETURNS SETOF iotdata.connection_result
AS 'MODULE_PATHNAME', 'iotdata_get_connections'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000 ROWS 1000;

COMMENT ON FUNCTION iotdata.get_connections(text[], boolean, interval) IS
	'connections of many MQTT clients, a row for each in the array''s order, with its own error';

REVOKE ALL ON FUNCTION iotdata.get_connections(text[], boolean, interval) FROM PUBLIC;

CREATE FUNCTION iotdata.cache_reset()
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_cache_reset'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.cache_reset() IS
	'drop the answers that are kept for max_age';

REVOKE ALL ON FUNCTION iotdata.cache_reset() FROM PUBLIC;

-- statistics

CREATE FUNCTION iotdata.stat_calls(
	OUT target text,
	OUT operation text,
	OUT calls bigint,
	OUT attempts bigint,
	OUT retries bigint,
	OUT throttled bigint,
	OUT errors_client bigint,
	OUT errors_throttled bigint,
	OUT errors_server bigint,
	OUT errors_unreachable bigint,
	OUT errors_lost bigint,
	OUT errors_malformed bigint,
	OUT errors_cancelled bigint,
	OUT cache_hits bigint,
	OUT bytes_sent bigint,
	OUT bytes_received bigint,
	OUT connections_opened bigint,
	OUT total_time double precision,
	OUT mean_time double precision,
	OUT max_time double precision,
	OUT latency_histogram bigint[],
	OUT stats_since timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'iotdata_stat_calls'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;

COMMENT ON FUNCTION iotdata.stat_calls() IS
	'what the view iotdata.stat_calls shows';

REVOKE ALL ON FUNCTION iotdata.stat_calls() FROM PUBLIC;

CREATE VIEW iotdata.stat_calls AS SELECT * FROM iotdata.stat_calls();

COMMENT ON VIEW iotdata.stat_calls IS 'calls that were made, by target and operation, and how they went';
COMMENT ON COLUMN iotdata.stat_calls.target IS 'endpoint: host, and port if it is not the usual one';
COMMENT ON COLUMN iotdata.stat_calls.operation IS 'operation, by the name that the service gives it';
COMMENT ON COLUMN iotdata.stat_calls.calls IS 'calls that ended, however they did';
COMMENT ON COLUMN iotdata.stat_calls.attempts IS 'requests that were made for them';
COMMENT ON COLUMN iotdata.stat_calls.retries IS 'attempts after a call''s first';
COMMENT ON COLUMN iotdata.stat_calls.throttled IS 'attempts that the service answered with 429';
COMMENT ON COLUMN iotdata.stat_calls.errors_client IS 'calls that ended in an error of the kind 4xx other than 429';
COMMENT ON COLUMN iotdata.stat_calls.errors_throttled IS 'calls that ended in 429, after all attempts';
COMMENT ON COLUMN iotdata.stat_calls.errors_server IS 'calls that ended in an error of the kind 5xx';
COMMENT ON COLUMN iotdata.stat_calls.errors_unreachable IS 'calls for which no connection could be made';
COMMENT ON COLUMN iotdata.stat_calls.errors_lost IS 'calls whose connection was lost, or whose answer did not come in time';
COMMENT ON COLUMN iotdata.stat_calls.errors_malformed IS 'calls whose answer could not be taken';
COMMENT ON COLUMN iotdata.stat_calls.errors_cancelled IS 'calls whose end nobody waited for: a cancel, an error elsewhere, a LIMIT';
COMMENT ON COLUMN iotdata.stat_calls.cache_hits IS 'kept answers that made a call needless';
COMMENT ON COLUMN iotdata.stat_calls.bytes_sent IS 'bytes sent: heads and bodies of requests';
COMMENT ON COLUMN iotdata.stat_calls.bytes_received IS 'bytes received: heads and bodies of answers';
COMMENT ON COLUMN iotdata.stat_calls.connections_opened IS 'connections that were made';
COMMENT ON COLUMN iotdata.stat_calls.total_time IS 'time that the calls took, from their first attempt to their end, in milliseconds';
COMMENT ON COLUMN iotdata.stat_calls.mean_time IS 'mean time of a call, in milliseconds';
COMMENT ON COLUMN iotdata.stat_calls.max_time IS 'longest time of a call, in milliseconds';
COMMENT ON COLUMN iotdata.stat_calls.latency_histogram IS 'calls by time: less than 1, 2, 4, 8, ... 16384 ms, and all longer ones';
COMMENT ON COLUMN iotdata.stat_calls.stats_since IS 'when the first of them was counted';

REVOKE ALL ON iotdata.stat_calls FROM PUBLIC;

CREATE FUNCTION iotdata.stat_reset()
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_stat_reset'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.stat_reset() IS
	'drop all that iotdata.stat_calls shows';

REVOKE ALL ON FUNCTION iotdata.stat_reset() FROM PUBLIC;

-- Who may read all statistics may read these. A view's functions are called by
-- who reads it; and the schema's name gives nobody any other of its functions.
GRANT USAGE ON SCHEMA iotdata TO pg_read_all_stats;
GRANT SELECT ON iotdata.stat_calls TO pg_read_all_stats;
GRANT EXECUTE ON FUNCTION iotdata.stat_calls() TO pg_read_all_stats;
