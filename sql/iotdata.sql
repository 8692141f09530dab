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

CREATE FUNCTION iotdata.get_connection_result(
	client_id text,
	include_socket_information boolean DEFAULT false,
	max_age interval DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS iotdata.connection_result
AS 'MODULE_PATHNAME', 'iotdata_get_connection_result'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000
SUPPORT iotdata.reading_support;

COMMENT ON FUNCTION iotdata.get_connection_result(text, boolean, interval, name) IS
	'connection state of an MQTT client, with an error that is this client''s alone in columns, as joins have it that one client must not stop';

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

CREATE FUNCTION iotdata.discover_endpoint(server name DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'iotdata_discover_endpoint'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000;

COMMENT ON FUNCTION iotdata.discover_endpoint(name) IS
	'URL of the account''s own endpoint, for iotdata.endpoint_url or a server''s option';

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

CREATE FUNCTION iotdata.stat_progress(
	OUT pid integer,
	OUT datid oid,
	OUT usesysid oid,
	OUT target text,
	OUT operation text,
	OUT rows_read bigint,
	OUT asked bigint,
	OUT answered bigint,
	OUT cache_hits bigint,
	OUT duplicates bigint,
	OUT calls_in_flight integer,
	OUT rate_waiting_since timestamptz,
	OUT rate double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'iotdata_stat_progress'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;

COMMENT ON FUNCTION iotdata.stat_progress() IS
	'rows of the view iotdata.stat_progress';

CREATE VIEW iotdata.stat_progress AS
	SELECT p.pid, p.datid, d.datname, p.usesysid, r.rolname AS usename, p.target, p.operation, p.rows_read, p.asked,
		p.answered, p.cache_hits, p.duplicates, p.calls_in_flight, p.rate_waiting_since, p.rate
	FROM iotdata.stat_progress() p
	LEFT JOIN pg_catalog.pg_database d ON d.oid = p.datid
	LEFT JOIN pg_catalog.pg_roles r ON r.oid = p.usesysid;

COMMENT ON VIEW iotdata.stat_progress IS 'lookups under way: batched joins, get_connections and get_connection_result';
COMMENT ON COLUMN iotdata.stat_progress.pid IS 'process ID of the session';
COMMENT ON COLUMN iotdata.stat_progress.datid IS 'OID of its database';
COMMENT ON COLUMN iotdata.stat_progress.datname IS 'name of its database';
COMMENT ON COLUMN iotdata.stat_progress.usesysid IS 'OID of its user';
COMMENT ON COLUMN iotdata.stat_progress.usename IS 'name of its user';
COMMENT ON COLUMN iotdata.stat_progress.target IS 'endpoint: host, and port if it is not the default; (several) if rows name servers with different ones';
COMMENT ON COLUMN iotdata.stat_progress.operation IS 'operation, by its name in the API';
COMMENT ON COLUMN iotdata.stat_progress.rows_read IS 'rows of the outer side, or elements of the array, that were read so far';
COMMENT ON COLUMN iotdata.stat_progress.asked IS 'rows that asked for something';
COMMENT ON COLUMN iotdata.stat_progress.answered IS 'of these, rows whose answer, or error, is there';
COMMENT ON COLUMN iotdata.stat_progress.cache_hits IS 'cached answers that took the place of a call';
COMMENT ON COLUMN iotdata.stat_progress.duplicates IS 'rows that asked for the same as another row';
COMMENT ON COLUMN iotdata.stat_progress.calls_in_flight IS 'requests that were sent and not answered yet';
COMMENT ON COLUMN iotdata.stat_progress.rate_waiting_since IS 'since when the next call waits for the rate; NULL if none does';
COMMENT ON COLUMN iotdata.stat_progress.rate IS 'tokens a second that the target has at present, for all sessions together if the library is preloaded; NULL without a limit, or of several targets';

CREATE FUNCTION iotdata.stat_reset()
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_stat_reset'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.stat_reset() IS
	'discard all statistics';

CREATE FUNCTION iotdata.stat_cache(
	OUT entries bigint,
	OUT bytes_used bigint,
	OUT capacity bigint,
	OUT hits bigint,
	OUT misses bigint,
	OUT evictions bigint,
	OUT oldest timestamptz)
RETURNS record
AS 'MODULE_PATHNAME', 'iotdata_stat_cache'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.stat_cache() IS
	'row of the view iotdata.stat_cache';

CREATE VIEW iotdata.stat_cache AS SELECT * FROM iotdata.stat_cache();

COMMENT ON VIEW iotdata.stat_cache IS 'what the cache of answers holds, and what it is good for';
COMMENT ON COLUMN iotdata.stat_cache.entries IS 'cached answers';
COMMENT ON COLUMN iotdata.stat_cache.bytes_used IS 'bytes that they take';
COMMENT ON COLUMN iotdata.stat_cache.capacity IS 'bytes that there are for them';
COMMENT ON COLUMN iotdata.stat_cache.hits IS 'cached answers that were used';
COMMENT ON COLUMN iotdata.stat_cache.misses IS 'calls made with a max_age, because no cached answer would do';
COMMENT ON COLUMN iotdata.stat_cache.evictions IS 'cached answers that had to make room for others';
COMMENT ON COLUMN iotdata.stat_cache.oldest IS 'when the oldest cached answer was observed';

-- ---- the outbox -------------------------------------------------------------

-- Messages that are sent after the transaction that queued them has committed.
-- The C functions write and read these tables without the privileges of their
-- caller; nobody else has to have any. What a row of iotdata.outbox says never
-- changes: it is there until its message has ended, and then it is in
-- iotdata.outbox_ended. Ids are in the order in which messages of one device
-- are sent, so nobody takes them in advance (CACHE 1).

CREATE SEQUENCE iotdata.outbox_id_seq AS bigint CACHE 1;

COMMENT ON SEQUENCE iotdata.outbox_id_seq IS 'ids of messages in the outbox';

CREATE TABLE iotdata.outbox (
	id bigint NOT NULL,
	device bigint NOT NULL,
	xid bigint NOT NULL,
	home oid NOT NULL,
	owner regrole NOT NULL,
	payload_type regtype,
	server name,
	queued_at timestamptz NOT NULL,
	expires_at timestamptz,
	client_id text NOT NULL,
	topic text NOT NULL,
	payload bytea NOT NULL,
	content_type text,
	response_topic text,
	confirmation boolean,
	timeout interval,
	user_properties jsonb,
	payload_format_indicator iotdata.payload_format_indicator,
	correlation_data bytea,
	CONSTRAINT outbox_pkey PRIMARY KEY (id)
) USING heap WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX outbox_device_id ON iotdata.outbox (device, id);
CREATE INDEX outbox_xid_id ON iotdata.outbox (xid, id);

COMMENT ON TABLE iotdata.outbox IS 'messages that wait to be sent, or are being sent';
COMMENT ON COLUMN iotdata.outbox.id IS 'id that iotdata.queue_direct_message returned';
COMMENT ON COLUMN iotdata.outbox.device IS 'hash of server and client ID: such messages are sent in order';
COMMENT ON COLUMN iotdata.outbox.xid IS 'transaction that queued the message';
COMMENT ON COLUMN iotdata.outbox.home IS 'database that sends the message; 0 until iotdata.adopt_outbox when the row was not queued here';
COMMENT ON COLUMN iotdata.outbox.owner IS 'role that queued the message, and that it is sent as';
COMMENT ON COLUMN iotdata.outbox.payload_type IS 'type of the payload that was given, which says which function the role must still be allowed to call; NULL when a trigger queued the message';
COMMENT ON COLUMN iotdata.outbox.server IS 'server that the message is sent to; NULL for the default target';
COMMENT ON COLUMN iotdata.outbox.queued_at IS 'when the message was queued';
COMMENT ON COLUMN iotdata.outbox.expires_at IS 'when it is no longer to be sent; NULL for never';
COMMENT ON COLUMN iotdata.outbox.client_id IS 'MQTT client ID';
COMMENT ON COLUMN iotdata.outbox.topic IS 'topic';
COMMENT ON COLUMN iotdata.outbox.payload IS 'payload as it is sent';
COMMENT ON COLUMN iotdata.outbox.content_type IS 'MQTT 5 content type';
COMMENT ON COLUMN iotdata.outbox.response_topic IS 'MQTT 5 response topic';
COMMENT ON COLUMN iotdata.outbox.confirmation IS 'whether the device''s PUBACK is waited for';
COMMENT ON COLUMN iotdata.outbox.timeout IS 'how long it is waited for';
COMMENT ON COLUMN iotdata.outbox.user_properties IS 'MQTT 5 user properties';
COMMENT ON COLUMN iotdata.outbox.payload_format_indicator IS 'MQTT 5 payload format indicator';
COMMENT ON COLUMN iotdata.outbox.correlation_data IS 'MQTT 5 correlation data';

CREATE TABLE iotdata.outbox_retry (
	device bigint NOT NULL,
	head bigint NOT NULL,
	due timestamptz NOT NULL,
	attempts integer NOT NULL,
	unknown integer NOT NULL,
	owner regrole NOT NULL,
	error_code text,
	error_message text,
	CONSTRAINT outbox_retry_pkey PRIMARY KEY (device)
) USING heap WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX outbox_retry_due ON iotdata.outbox_retry (due, device);

COMMENT ON TABLE iotdata.outbox_retry IS 'devices whose oldest message could not be delivered, and is to be tried again';
COMMENT ON COLUMN iotdata.outbox_retry.device IS 'as in iotdata.outbox';
COMMENT ON COLUMN iotdata.outbox_retry.head IS 'id of the message';
COMMENT ON COLUMN iotdata.outbox_retry.due IS 'when it is tried again';
COMMENT ON COLUMN iotdata.outbox_retry.attempts IS 'attempts so far';
COMMENT ON COLUMN iotdata.outbox_retry.unknown IS 'attempts after which it is not known whether the message arrived';
COMMENT ON COLUMN iotdata.outbox_retry.owner IS 'role that queued the message';
COMMENT ON COLUMN iotdata.outbox_retry.error_code IS 'SQLSTATE of the last attempt''s error';
COMMENT ON COLUMN iotdata.outbox_retry.error_message IS 'message of the last attempt''s error';

CREATE TABLE iotdata.outbox_ended (
	id bigint NOT NULL,
	state text NOT NULL,
	ended_at timestamptz NOT NULL,
	attempts integer NOT NULL,
	unknown integer NOT NULL,
	owner regrole NOT NULL,
	error_code text,
	error_message text,
	device bigint,
	payload_type regtype,
	server name,
	queued_at timestamptz,
	expires_at timestamptz,
	client_id text,
	topic text,
	payload bytea,
	content_type text,
	response_topic text,
	confirmation boolean,
	timeout interval,
	user_properties jsonb,
	payload_format_indicator iotdata.payload_format_indicator,
	correlation_data bytea,
	CONSTRAINT outbox_ended_pkey PRIMARY KEY (id)
) USING heap WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX outbox_ended_state ON iotdata.outbox_ended (state, ended_at, id);

COMMENT ON TABLE iotdata.outbox_ended IS 'messages that were delivered, for a while and with no more than this; and whole ones that failed, expired or were cancelled';
COMMENT ON COLUMN iotdata.outbox_ended.id IS 'id that iotdata.queue_direct_message returned';
COMMENT ON COLUMN iotdata.outbox_ended.state IS 'delivered, failed, expired or cancelled';
COMMENT ON COLUMN iotdata.outbox_ended.ended_at IS 'when it was';
COMMENT ON COLUMN iotdata.outbox_ended.attempts IS 'how often the message was sent, or tried to be';
COMMENT ON COLUMN iotdata.outbox_ended.unknown IS 'attempts after which it is not known whether the message arrived';
COMMENT ON COLUMN iotdata.outbox_ended.owner IS 'role that queued the message';
COMMENT ON COLUMN iotdata.outbox_ended.error_code IS 'SQLSTATE of the last error';
COMMENT ON COLUMN iotdata.outbox_ended.error_message IS 'message of the last error';
COMMENT ON COLUMN iotdata.outbox_ended.device IS 'as in iotdata.outbox';
COMMENT ON COLUMN iotdata.outbox_ended.payload_type IS 'as in iotdata.outbox';
COMMENT ON COLUMN iotdata.outbox_ended.server IS 'server that the message was for';
COMMENT ON COLUMN iotdata.outbox_ended.queued_at IS 'when the message was queued';
COMMENT ON COLUMN iotdata.outbox_ended.expires_at IS 'when it expired, or would have';
COMMENT ON COLUMN iotdata.outbox_ended.client_id IS 'MQTT client ID';
COMMENT ON COLUMN iotdata.outbox_ended.topic IS 'topic';
COMMENT ON COLUMN iotdata.outbox_ended.payload IS 'payload';
COMMENT ON COLUMN iotdata.outbox_ended.content_type IS 'MQTT 5 content type';
COMMENT ON COLUMN iotdata.outbox_ended.response_topic IS 'MQTT 5 response topic';
COMMENT ON COLUMN iotdata.outbox_ended.confirmation IS 'whether the device''s PUBACK was to be waited for';
COMMENT ON COLUMN iotdata.outbox_ended.timeout IS 'how long';
COMMENT ON COLUMN iotdata.outbox_ended.user_properties IS 'MQTT 5 user properties';
COMMENT ON COLUMN iotdata.outbox_ended.payload_format_indicator IS 'MQTT 5 payload format indicator';
COMMENT ON COLUMN iotdata.outbox_ended.correlation_data IS 'MQTT 5 correlation data';

-- a dump has the messages that wait, and those that failed
SELECT pg_extension_config_dump('iotdata.outbox_id_seq', '');
SELECT pg_extension_config_dump('iotdata.outbox', '');
SELECT pg_extension_config_dump('iotdata.outbox_retry', '');
SELECT pg_extension_config_dump('iotdata.outbox_ended', '');

-- whoever may read the tables reads what roles queued that they have the privileges of

ALTER TABLE iotdata.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE iotdata.outbox_retry ENABLE ROW LEVEL SECURITY;
ALTER TABLE iotdata.outbox_ended ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON iotdata.outbox FOR SELECT USING (pg_catalog.pg_has_role(owner, 'USAGE'));
CREATE POLICY own ON iotdata.outbox_retry FOR SELECT USING (pg_catalog.pg_has_role(owner, 'USAGE'));
CREATE POLICY own ON iotdata.outbox_ended FOR SELECT USING (pg_catalog.pg_has_role(owner, 'USAGE'));

-- A row that comes another way than from the functions below (COPY, a restored
-- dump, logical replication) is not sent until it is adopted: a copy of a
-- database does not send everything a second time.

CREATE FUNCTION iotdata.outbox_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'iotdata_outbox_guard'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION iotdata.outbox_guard() IS
	'trigger function of iotdata.outbox: rows that were not queued here are not sent';

CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON iotdata.outbox
	FOR EACH ROW EXECUTE FUNCTION iotdata.outbox_guard();
ALTER TABLE iotdata.outbox ENABLE ALWAYS TRIGGER guard;

CREATE FUNCTION iotdata.queue_direct_message(
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
	expires_in interval DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'iotdata_queue_direct_message'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION iotdata.queue_direct_message(
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
	expires_in interval DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'iotdata_queue_direct_message'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION iotdata.queue_direct_message(
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
	expires_in interval DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'iotdata_queue_direct_message'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION iotdata.queue_direct_message(
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
	expires_in interval DEFAULT NULL,
	server name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'iotdata_queue_direct_message'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION iotdata.queue_direct_message(text, text, bytea, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name) IS
	'put a message of bytes for an MQTT client into the outbox, to be sent after the transaction has committed; returns its id';
COMMENT ON FUNCTION iotdata.queue_direct_message(text, text, text, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name) IS
	'put a message of text, in UTF-8 for an MQTT client into the outbox, to be sent after the transaction has committed; returns its id';
COMMENT ON FUNCTION iotdata.queue_direct_message(text, text, json, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name) IS
	'put a message of JSON, as it is written for an MQTT client into the outbox, to be sent after the transaction has committed; returns its id';
COMMENT ON FUNCTION iotdata.queue_direct_message(text, text, jsonb, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name) IS
	'put a message of JSON for an MQTT client into the outbox, to be sent after the transaction has committed; returns its id';

CREATE FUNCTION iotdata.queue_direct_message_trigger()
RETURNS trigger
AS 'MODULE_PATHNAME', 'iotdata_queue_direct_message_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION iotdata.queue_direct_message_trigger() IS
	'trigger function that queues a message for each row, or each row of a transition table: the client''s column, the topic with {column} places, the payload''s column or *, options as name=value';

CREATE PROCEDURE iotdata.process_outbox(
	max_messages integer DEFAULT NULL,
	max_time interval DEFAULT NULL)
AS 'MODULE_PATHNAME', 'iotdata_process_outbox'
LANGUAGE C;

COMMENT ON PROCEDURE iotdata.process_outbox(integer, interval) IS
	'send what waits in the outbox, and commit, where no background worker does';

CREATE FUNCTION iotdata.retry(
	id bigint,
	expires_in interval DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'iotdata_outbox_retry'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION iotdata.retry(bigint, interval) IS
	'put a message that failed, expired or was cancelled into the outbox again; false if there is none of that id';

CREATE FUNCTION iotdata.cancel(
	id bigint)
RETURNS boolean
AS 'MODULE_PATHNAME', 'iotdata_outbox_cancel'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION iotdata.cancel(bigint) IS
	'take a message out of the outbox; false if none of that id waits there, or it is being sent';

CREATE FUNCTION iotdata.adopt_outbox()
RETURNS bigint
AS 'MODULE_PATHNAME', 'iotdata_adopt_outbox'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION iotdata.adopt_outbox() IS
	'send from this database what waits in its outbox but was queued elsewhere, before a restore for example; returns the number of messages';

CREATE VIEW iotdata.outbox_failed WITH (security_invoker = true) AS
	SELECT id, state, ended_at, attempts, unknown, owner, error_code, error_message, server, queued_at, expires_at,
		client_id, topic, payload, content_type, response_topic, confirmation, timeout, user_properties,
		payload_format_indicator, correlation_data
	FROM iotdata.outbox_ended
	WHERE state IN ('failed', 'expired');

COMMENT ON VIEW iotdata.outbox_failed IS 'messages that were given up, and why';
COMMENT ON COLUMN iotdata.outbox_failed.id IS 'id, for iotdata.retry';
COMMENT ON COLUMN iotdata.outbox_failed.state IS 'failed or expired';
COMMENT ON COLUMN iotdata.outbox_failed.ended_at IS 'when it was given up';
COMMENT ON COLUMN iotdata.outbox_failed.attempts IS 'how often the message was sent, or tried to be';
COMMENT ON COLUMN iotdata.outbox_failed.unknown IS 'attempts after which it is not known whether the message arrived';
COMMENT ON COLUMN iotdata.outbox_failed.owner IS 'role that queued the message';
COMMENT ON COLUMN iotdata.outbox_failed.error_code IS 'SQLSTATE of the last error';
COMMENT ON COLUMN iotdata.outbox_failed.error_message IS 'message of the last error';
COMMENT ON COLUMN iotdata.outbox_failed.server IS 'server that the message was for';
COMMENT ON COLUMN iotdata.outbox_failed.queued_at IS 'when the message was queued';
COMMENT ON COLUMN iotdata.outbox_failed.expires_at IS 'when it expired, or would have';
COMMENT ON COLUMN iotdata.outbox_failed.client_id IS 'MQTT client ID';
COMMENT ON COLUMN iotdata.outbox_failed.topic IS 'topic';
COMMENT ON COLUMN iotdata.outbox_failed.payload IS 'payload';
COMMENT ON COLUMN iotdata.outbox_failed.content_type IS 'MQTT 5 content type';
COMMENT ON COLUMN iotdata.outbox_failed.response_topic IS 'MQTT 5 response topic';
COMMENT ON COLUMN iotdata.outbox_failed.confirmation IS 'whether the device''s PUBACK was to be waited for';
COMMENT ON COLUMN iotdata.outbox_failed.timeout IS 'how long';
COMMENT ON COLUMN iotdata.outbox_failed.user_properties IS 'MQTT 5 user properties';
COMMENT ON COLUMN iotdata.outbox_failed.payload_format_indicator IS 'MQTT 5 payload format indicator';
COMMENT ON COLUMN iotdata.outbox_failed.correlation_data IS 'MQTT 5 correlation data';

CREATE FUNCTION iotdata.outbox_status(
	OUT state text,
	OUT messages bigint,
	OUT is_estimate boolean,
	OUT oldest timestamptz,
	OUT next_attempt timestamptz)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED ROWS 7
SET search_path TO pg_catalog, pg_temp
SET enable_seqscan TO off
AS $$
	WITH first AS MATERIALIZED (
		SELECT id, home, queued_at FROM iotdata.outbox ORDER BY id LIMIT 10001
	), waiting AS (
		SELECT count(*) AS counted, count(*) FILTER (WHERE f.home <> d.oid) AS foreign_, min(f.queued_at) AS oldest
		FROM pg_database d LEFT JOIN first f ON true WHERE d.datname = current_database() AND f.id IS NOT NULL
	)
	SELECT 'waiting', CASE WHEN counted > 10000 THEN greatest(counted, pg_stat_get_live_tuples('iotdata.outbox'::regclass)) ELSE counted END,
		counted > 10000, w.oldest, NULL::timestamptz
	FROM waiting w
	UNION ALL
	SELECT 'not adopted', foreign_, counted > 10000, NULL, NULL FROM waiting
	UNION ALL
	SELECT 'retrying', n.counted, n.counted > 10000, NULL, (SELECT min(due) FROM iotdata.outbox_retry)
	FROM (SELECT count(*) AS counted FROM (SELECT FROM iotdata.outbox_retry LIMIT 10001) r) n
	UNION ALL
	SELECT s.state, CASE WHEN n.counted > 10000 AND s.state = 'delivered' THEN greatest(n.counted, pg_stat_get_live_tuples('iotdata.outbox_ended'::regclass)) ELSE n.counted END,
		n.counted > 10000, n.oldest, NULL
	FROM unnest('{delivered,failed,expired,cancelled}'::text[]) s(state), LATERAL (
		SELECT count(*) AS counted, min(e.ended_at) AS oldest
		FROM (SELECT ended_at FROM iotdata.outbox_ended o WHERE o.state = s.state ORDER BY o.state, o.ended_at, o.id LIMIT 10001) e) n
$$;

COMMENT ON FUNCTION iotdata.outbox_status() IS
	'rows of the view iotdata.outbox_status';

CREATE VIEW iotdata.outbox_status AS SELECT * FROM iotdata.outbox_status();

COMMENT ON VIEW iotdata.outbox_status IS 'messages in the outbox, by state';
COMMENT ON COLUMN iotdata.outbox_status.state IS 'waiting (of these, not adopted: queued elsewhere, and retrying: devices whose oldest message is tried again), delivered, failed, expired or cancelled';
COMMENT ON COLUMN iotdata.outbox_status.messages IS 'number of messages';
COMMENT ON COLUMN iotdata.outbox_status.is_estimate IS 'whether there are too many to count: then the number is the statistics'', or what was counted';
COMMENT ON COLUMN iotdata.outbox_status.oldest IS 'when the oldest was queued, or ended';
COMMENT ON COLUMN iotdata.outbox_status.next_attempt IS 'when the next one is tried again';

-- ---- privileges -------------------------------------------------------------

-- Calls cost money, reach devices and use the server's credentials: nobody may
-- make any by default. The functions are named one by one, because the schema
-- may have those of others, too.

REVOKE ALL ON FUNCTION
	iotdata.reading_support(internal),
	iotdata.fdw_validator(text[], oid),
	iotdata.get_connection(text, boolean, interval, name),
	iotdata.get_connection_result(text, boolean, interval, name),
	iotdata.get_connections(text[], boolean, interval, name),
	iotdata.delete_connection(text, boolean, boolean, name),
	iotdata.list_subscriptions(text, integer, name),
	iotdata.send_direct_message(text, text, bytea, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.send_direct_message(text, text, text, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.send_direct_message(text, text, json, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.send_direct_message(text, text, jsonb, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name),
	iotdata.target_info(name),
	iotdata.discover_endpoint(name),
	iotdata.cache_reset(),
	iotdata.stat_calls(),
	iotdata.stat_cache(),
	iotdata.stat_progress(),
	iotdata.stat_reset(),
	iotdata.queue_direct_message(text, text, bytea, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name),
	iotdata.queue_direct_message(text, text, text, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name),
	iotdata.queue_direct_message(text, text, json, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name),
	iotdata.queue_direct_message(text, text, jsonb, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name),
	iotdata.queue_direct_message_trigger(),
	iotdata.outbox_guard(),
	iotdata.outbox_status(),
	iotdata.adopt_outbox(),
	iotdata.retry(bigint, interval),
	iotdata.cancel(bigint)
FROM PUBLIC;

REVOKE ALL ON PROCEDURE iotdata.process_outbox(integer, interval) FROM PUBLIC;

REVOKE ALL ON iotdata.stat_calls, iotdata.stat_cache, iotdata.stat_progress FROM PUBLIC;

-- Who may read all statistics may read these. Whoever reads a view calls its
-- function; USAGE of the schema gives nobody any other function.
GRANT SELECT ON iotdata.stat_calls, iotdata.stat_cache, iotdata.stat_progress TO pg_read_all_stats;
GRANT EXECUTE ON FUNCTION iotdata.stat_calls(), iotdata.stat_cache(), iotdata.stat_progress() TO pg_read_all_stats;
GRANT SELECT ON iotdata.outbox_status TO pg_read_all_stats;
GRANT EXECUTE ON FUNCTION iotdata.outbox_status() TO pg_read_all_stats;

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
