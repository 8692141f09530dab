-- The AWS IoT Data Plane in SQL: all objects of the present version.
--
-- "make" installs this page as iotdata--VERSION.sql. The upgrade scripts beside
-- it lead older versions to the same objects; test/t/extension_upgrade.pl
-- compares them.
--
-- What holds for every function that makes a call:
--   VOLATILE: it asks about, or acts on, the world outside; two calls can give
--     two answers.
--   not STRICT: optional arguments may be NULL. A required one that is NULL
--     gives NULL for a read, and an error for an action.
--   PARALLEL RESTRICTED for a read: connections belong to the leader, and a
--     query does not multiply its requests by the number of its workers.
--     PARALLEL UNSAFE for an action: no plan may run it early or twice.
--   COST 100000: a request takes about as long as reading some thousand rows,
--     so the planner evaluates cheaper conditions first, and calls as rarely
--     as it can.

-- complain if the script is run by psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION iotdata" to load this file. \quit

-- CREATE EXTENSION puts the schema iotdata first, where others may have put
-- operators and functions of their own. No name below may find those.
SET LOCAL search_path TO pg_catalog, pg_temp;

-- ---- the schema -------------------------------------------------------------

-- Whoever owns the schema can later put functions into it that callers find
-- before ours, with the arguments that are meant for ours, or rename it and
-- take its place.
DO $$
DECLARE
	owner name;
BEGIN
	SELECT r.rolname INTO owner
	FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_authid r ON r.oid = n.nspowner
	WHERE n.nspname = 'iotdata' AND NOT r.rolsuper;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = pg_catalog.format('schema "iotdata" belongs to "%s", who is not a superuser', owner),
			DETAIL = 'The owner could put functions into it that are called in place of the extension''s.',
			HINT = pg_catalog.format('Drop the schema, or look at what is in it and run ALTER SCHEMA iotdata OWNER TO %I.', current_user);
	END IF;
END $$;

COMMENT ON SCHEMA iotdata IS 'AWS IoT Data Plane';

-- ---- types ------------------------------------------------------------------

CREATE TYPE iotdata.connection AS (
	connected boolean,
	thing_name text,
	clean_session boolean,
	source_ip inet,
	source_port integer,
	target_ip inet,
	target_port integer,
	keep_alive_duration interval,
	connected_since timestamptz,
	disconnected_since timestamptz,
	disconnect_reason text,
	session_expiry interval,
	client_id text,
	vpc_endpoint_id text,
	observed_at timestamptz
);

COMMENT ON TYPE iotdata.connection IS 'connection state of an MQTT client';
COMMENT ON COLUMN iotdata.connection.connected IS 'whether the client is connected';
COMMENT ON COLUMN iotdata.connection.thing_name IS 'thing that is attached to the client exclusively, if any';
COMMENT ON COLUMN iotdata.connection.clean_session IS 'false for a persistent session';
COMMENT ON COLUMN iotdata.connection.source_ip IS 'address of the client (with socket information)';
COMMENT ON COLUMN iotdata.connection.source_port IS 'port of the client (with socket information)';
COMMENT ON COLUMN iotdata.connection.target_ip IS 'address that the client connected to (with socket information)';
COMMENT ON COLUMN iotdata.connection.target_port IS 'port that the client connected to (with socket information)';
COMMENT ON COLUMN iotdata.connection.keep_alive_duration IS 'keep-alive interval that the client requested';
COMMENT ON COLUMN iotdata.connection.connected_since IS 'when the client connected; NULL while it is disconnected';
COMMENT ON COLUMN iotdata.connection.disconnected_since IS 'when the client disconnected; NULL while it is connected';
COMMENT ON COLUMN iotdata.connection.disconnect_reason IS 'why the client disconnected; NULL while it is connected';
COMMENT ON COLUMN iotdata.connection.session_expiry IS 'how long the session outlives a disconnect';
COMMENT ON COLUMN iotdata.connection.client_id IS 'MQTT client ID';
COMMENT ON COLUMN iotdata.connection.vpc_endpoint_id IS 'VPC endpoint that the client connected through (with socket information)';
COMMENT ON COLUMN iotdata.connection.observed_at IS 'when the service answered';

CREATE TYPE iotdata.connection_result AS (
	client_id text,
	connection iotdata.connection,
	error_code text,
	error_message text
);

COMMENT ON TYPE iotdata.connection_result IS 'connection state of an MQTT client, or the error of the call';
COMMENT ON COLUMN iotdata.connection_result.client_id IS 'MQTT client ID that was asked about';
COMMENT ON COLUMN iotdata.connection_result.connection IS 'its connection state; NULL if the service does not know the client';
COMMENT ON COLUMN iotdata.connection_result.error_code IS 'SQLSTATE of the error; NULL if there was none';
COMMENT ON COLUMN iotdata.connection_result.error_message IS 'message of the error; NULL if there was none';

CREATE TYPE iotdata.subscription AS (
	topic_filter text,
	qos smallint
);

COMMENT ON TYPE iotdata.subscription IS 'subscription of an MQTT client';
COMMENT ON COLUMN iotdata.subscription.topic_filter IS 'topic filter, with its wildcards';
COMMENT ON COLUMN iotdata.subscription.qos IS 'quality of service, 0 or 1';

CREATE TYPE iotdata.delivery AS (
	message text,
	trace_id text
);

COMMENT ON TYPE iotdata.delivery IS 'the service''s answer to a message that it delivered';
COMMENT ON COLUMN iotdata.delivery.message IS 'result, in the service''s words';
COMMENT ON COLUMN iotdata.delivery.trace_id IS 'identifier of the request, for AWS Support';

CREATE TYPE iotdata.payload_format_indicator AS ENUM (
	'UNSPECIFIED_BYTES',
	'UTF8_DATA'
);

COMMENT ON TYPE iotdata.payload_format_indicator IS 'whether an MQTT 5 payload is text in UTF-8';

-- ---- planner support --------------------------------------------------------

-- only the planner calls it; it is what joins know a reading function by

CREATE FUNCTION iotdata.reading_support(internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'iotdata_reading_support'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION iotdata.reading_support(internal) IS
	'planner support function of the reads, whose joins are batched';

-- ---- connections ------------------------------------------------------------

CREATE FUNCTION iotdata.get_connection(
	client_id text,
	include_socket_information boolean DEFAULT false,
	max_age interval DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS iotdata.connection
AS 'MODULE_PATHNAME', 'iotdata_get_connection'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000
SUPPORT iotdata.reading_support;

COMMENT ON FUNCTION iotdata.get_connection(text, boolean, interval, name) IS
	'connection state of an MQTT client, from the cache if it is no older than max_age; NULL if the service does not know the client';

CREATE FUNCTION iotdata.get_connections(
	client_ids text[],
	include_socket_information boolean DEFAULT false,
	max_age interval DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS SETOF iotdata.connection_result
AS 'MODULE_PATHNAME', 'iotdata_get_connections'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000 ROWS 1000;

COMMENT ON FUNCTION iotdata.get_connections(text[], boolean, interval, name) IS
	'connection states of many MQTT clients: a row for each element, in the array''s order, with its own error';

CREATE FUNCTION iotdata.delete_connection(
	client_id text,
	clean_session boolean DEFAULT false,
	prevent_will_message boolean DEFAULT false,
	server name DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_delete_connection'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION iotdata.delete_connection(text, boolean, boolean, name) IS
	'disconnect an MQTT client, and with clean_session delete its session';

-- ---- subscriptions ----------------------------------------------------------

-- ROWS is the service's quota of subscriptions for a client

CREATE FUNCTION iotdata.list_subscriptions(
	client_id text,
	page_size integer DEFAULT 200,
	server name DEFAULT NULL)
RETURNS SETOF iotdata.subscription
AS 'MODULE_PATHNAME', 'iotdata_list_subscriptions'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000 ROWS 50
SUPPORT iotdata.reading_support;

COMMENT ON FUNCTION iotdata.list_subscriptions(text, integer, name) IS
	'subscriptions of an MQTT client, page_size of them in a request';

-- ---- messages ---------------------------------------------------------------

-- A payload of no type ('...' or $3) is text, because text is the type that
-- PostgreSQL prefers for a string. Only bytea has a default: with a second one
-- a call without a payload would be ambiguous.

CREATE FUNCTION iotdata.send_direct_message(
	client_id text,
	topic text,
	payload bytea DEFAULT '',
	content_type text DEFAULT NULL,
	response_topic text DEFAULT NULL,
	confirmation boolean DEFAULT false,
	timeout interval DEFAULT NULL,
	user_properties jsonb DEFAULT NULL,
	payload_format_indicator iotdata.payload_format_indicator DEFAULT NULL,
	correlation_data bytea DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS iotdata.delivery
AS 'MODULE_PATHNAME', 'iotdata_send_direct_message_1_2'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

CREATE FUNCTION iotdata.send_direct_message(
	client_id text,
	topic text,
	payload text,
	content_type text DEFAULT NULL,
	response_topic text DEFAULT NULL,
	confirmation boolean DEFAULT false,
	timeout interval DEFAULT NULL,
	user_properties jsonb DEFAULT NULL,
	payload_format_indicator iotdata.payload_format_indicator DEFAULT NULL,
	correlation_data bytea DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS iotdata.delivery
AS 'MODULE_PATHNAME', 'iotdata_send_direct_message_1_2'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

CREATE FUNCTION iotdata.send_direct_message(
	client_id text,
	topic text,
	payload json,
	content_type text DEFAULT NULL,
	response_topic text DEFAULT NULL,
	confirmation boolean DEFAULT false,
	timeout interval DEFAULT NULL,
	user_properties jsonb DEFAULT NULL,
	payload_format_indicator iotdata.payload_format_indicator DEFAULT NULL,
	correlation_data bytea DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS iotdata.delivery
AS 'MODULE_PATHNAME', 'iotdata_send_direct_message_1_2'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

CREATE FUNCTION iotdata.send_direct_message(
	client_id text,
	topic text,
	payload jsonb,
	content_type text DEFAULT NULL,
	response_topic text DEFAULT NULL,
	confirmation boolean DEFAULT false,
	timeout interval DEFAULT NULL,
	user_properties jsonb DEFAULT NULL,
	payload_format_indicator iotdata.payload_format_indicator DEFAULT NULL,
	correlation_data bytea DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS iotdata.delivery
AS 'MODULE_PATHNAME', 'iotdata_send_direct_message_1_2'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION iotdata.send_direct_message(text, text, bytea, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name) IS
	'send bytes to a connected MQTT client, and with confirmation wait for its PUBACK';
COMMENT ON FUNCTION iotdata.send_direct_message(text, text, text, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name) IS
	'send text, in UTF-8, to a connected MQTT client, and with confirmation wait for its PUBACK';
COMMENT ON FUNCTION iotdata.send_direct_message(text, text, json, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name) IS
	'send JSON, as it is written, to a connected MQTT client, and with confirmation wait for its PUBACK';
COMMENT ON FUNCTION iotdata.send_direct_message(text, text, jsonb, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name) IS
	'send JSON to a connected MQTT client, and with confirmation wait for its PUBACK';

-- ---- targets ----------------------------------------------------------------

-- A foreign server with its user mappings is a target that calls can name. There
-- is no handler: no table is read from one.

CREATE FUNCTION iotdata.fdw_validator(options text[], catalog oid)
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_fdw_validator'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION iotdata.fdw_validator(text[], oid) IS
	'validator of the options of iotdata_fdw';

CREATE FOREIGN DATA WRAPPER iotdata_fdw NO HANDLER VALIDATOR iotdata.fdw_validator;

COMMENT ON FOREIGN DATA WRAPPER iotdata_fdw IS
	'AWS accounts and endpoints that calls can name';

CREATE FUNCTION iotdata.target_info(
	server name DEFAULT NULL,
	OUT endpoint text,
	OUT region text,
	OUT credentials_source text,
	OUT access_key_id_suffix text,
	OUT credentials_expire_at timestamptz,
	OUT server name,
	OUT endpoint_source text,
	OUT region_source text,
	OUT credentials_origin text,
	OUT account_id text,
	OUT error_message text,
	OUT error_detail text)
RETURNS record
AS 'MODULE_PATHNAME', 'iotdata_target_info'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.target_info(name) IS
	'where calls go and as whom; never a secret';

-- ---- the cache --------------------------------------------------------------

CREATE FUNCTION iotdata.cache_reset()
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_cache_reset'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.cache_reset() IS
	'discard all cached answers';

-- ---- statistics -------------------------------------------------------------

CREATE FUNCTION iotdata.stat_calls(
	OUT target text,
	OUT account text,
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
	'rows of the view iotdata.stat_calls';

CREATE VIEW iotdata.stat_calls AS SELECT * FROM iotdata.stat_calls();

COMMENT ON VIEW iotdata.stat_calls IS 'calls and their outcomes, by target, account and operation';
COMMENT ON COLUMN iotdata.stat_calls.target IS 'endpoint: host, and port if it is not the default';
COMMENT ON COLUMN iotdata.stat_calls.account IS 'AWS account, or if the access key does not tell it, the last four characters of that';
COMMENT ON COLUMN iotdata.stat_calls.operation IS 'operation, by its name in the API';
COMMENT ON COLUMN iotdata.stat_calls.calls IS 'calls that ended, with whatever outcome';
COMMENT ON COLUMN iotdata.stat_calls.attempts IS 'requests sent for these calls';
COMMENT ON COLUMN iotdata.stat_calls.retries IS 'attempts after a call''s first';
COMMENT ON COLUMN iotdata.stat_calls.throttled IS 'attempts that were answered with HTTP status 429';
COMMENT ON COLUMN iotdata.stat_calls.errors_client IS 'calls that failed with an HTTP status 4xx other than 429';
COMMENT ON COLUMN iotdata.stat_calls.errors_throttled IS 'calls that failed with HTTP status 429 in their last attempt';
COMMENT ON COLUMN iotdata.stat_calls.errors_server IS 'calls that failed with an HTTP status 5xx';
COMMENT ON COLUMN iotdata.stat_calls.errors_unreachable IS 'calls for which no connection could be made';
COMMENT ON COLUMN iotdata.stat_calls.errors_lost IS 'calls whose connection was lost or timed out';
COMMENT ON COLUMN iotdata.stat_calls.errors_malformed IS 'calls whose answer was not what the API describes';
COMMENT ON COLUMN iotdata.stat_calls.errors_cancelled IS 'calls that were cut short: by a cancel, an error elsewhere or a LIMIT';
COMMENT ON COLUMN iotdata.stat_calls.cache_hits IS 'answers taken from the cache, without a call';
COMMENT ON COLUMN iotdata.stat_calls.bytes_sent IS 'bytes of the requests, headers and bodies';
COMMENT ON COLUMN iotdata.stat_calls.bytes_received IS 'bytes of the answers, headers and bodies';
COMMENT ON COLUMN iotdata.stat_calls.connections_opened IS 'connections that were made';
COMMENT ON COLUMN iotdata.stat_calls.total_time IS 'time that the calls took, each from its first attempt to its end, in milliseconds';
COMMENT ON COLUMN iotdata.stat_calls.mean_time IS 'mean time of a call, in milliseconds';
COMMENT ON COLUMN iotdata.stat_calls.max_time IS 'longest time of a call, in milliseconds';
COMMENT ON COLUMN iotdata.stat_calls.latency_histogram IS 'calls by time: below 1, 2, 4, 8, ... 16384 ms, and longer';
COMMENT ON COLUMN iotdata.stat_calls.stats_since IS 'when the row''s first call was counted';

CREATE FUNCTION iotdata.stat_reset()
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_stat_reset'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.stat_reset() IS
	'discard all statistics';

-- ---- privileges -------------------------------------------------------------

-- Calls cost money, reach devices and use the server's credentials: nobody may
-- make any by default. The functions are named one by one, because the schema
-- may have those of others, too.

REVOKE ALL ON FUNCTION
	iotdata.reading_support(internal),
	iotdata.fdw_validator(text[], oid),
	iotdata.get_connection(text, boolean, interval, name),
	iotdata.get_connections(text[], boolean, interval, name),
	iotdata.delete_connection(text, boolean, boolean, name),
	iotdata.list_subscriptions(text, integer, name),
	iotdata.send_direct_message(text, text, bytea, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.send_direct_message(text, text, text, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.send_direct_message(text, text, json, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.send_direct_message(text, text, jsonb, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.target_info(name),
	iotdata.cache_reset(),
	iotdata.stat_calls(),
	iotdata.stat_reset()
FROM PUBLIC;

REVOKE ALL ON iotdata.stat_calls FROM PUBLIC;

-- Who may read all statistics may read these. Whoever reads the view calls its
-- function; USAGE of the schema gives nobody any other function.
GRANT SELECT ON iotdata.stat_calls TO pg_read_all_stats;
GRANT EXECUTE ON FUNCTION iotdata.stat_calls() TO pg_read_all_stats;

-- A GRANT in a script makes all privileges that the object has then the initial
-- ones, which pg_dump leaves out. Those that others were granted on the schema
-- before are not: they are set aside meanwhile.
DO $$
DECLARE
	before aclitem[];
BEGIN
	SELECT nspacl INTO before FROM pg_catalog.pg_namespace WHERE nspname = 'iotdata';
	UPDATE pg_catalog.pg_namespace SET nspacl = NULL WHERE nspname = 'iotdata';
	GRANT USAGE ON SCHEMA iotdata TO pg_read_all_stats;
	UPDATE pg_catalog.pg_namespace n
	SET nspacl = before || ARRAY(SELECT a FROM pg_catalog.unnest(n.nspacl) a WHERE NOT pg_catalog.aclcontains(before, a))
	WHERE n.nspname = 'iotdata' AND before IS NOT NULL;
END $$;
