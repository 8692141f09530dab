-- iotdata 1.0: the AWS IoT Data Plane in SQL.
--
-- Choices that hold for all functions here:
--   VOLATILE: they ask about, or act on, the world outside; two calls can give
--     two answers.
--   not STRICT: optional arguments may be NULL. A required one that is NULL
--     gives NULL for a read, and an error for an action.
--   PARALLEL RESTRICTED for reads: connections are the leader's, and a query
--     does not multiply its requests by the number of its workers. PARALLEL
--     UNSAFE for actions: no plan may run them early or twice.
--   COST 100000 (a request takes about as long as reading some thousand rows):
--     the planner evaluates cheaper conditions first, and calls as rarely as it
--     can.

-- complain if the script is run by psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION iotdata" to load this file. \quit

COMMENT ON SCHEMA iotdata IS 'AWS IoT Data Plane';

-- types

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
	vpc_endpoint_id text
);

COMMENT ON TYPE iotdata.connection IS 'connection of an MQTT client';
COMMENT ON COLUMN iotdata.connection.connected IS 'whether the client is connected now';
COMMENT ON COLUMN iotdata.connection.thing_name IS 'thing that the client is exclusively, if it is one';
COMMENT ON COLUMN iotdata.connection.clean_session IS 'false for a persistent session';
COMMENT ON COLUMN iotdata.connection.source_ip IS 'address of the client (with socket information)';
COMMENT ON COLUMN iotdata.connection.source_port IS 'port of the client (with socket information)';
COMMENT ON COLUMN iotdata.connection.target_ip IS 'address that the client connected to (with socket information)';
COMMENT ON COLUMN iotdata.connection.target_port IS 'port that the client connected to (with socket information)';
COMMENT ON COLUMN iotdata.connection.keep_alive_duration IS 'keep-alive that the client asked for';
COMMENT ON COLUMN iotdata.connection.connected_since IS 'since when it is connected; NULL when it is not';
COMMENT ON COLUMN iotdata.connection.disconnected_since IS 'since when it is not connected; NULL when it is';
COMMENT ON COLUMN iotdata.connection.disconnect_reason IS 'why it was last disconnected; NULL while it is connected';
COMMENT ON COLUMN iotdata.connection.session_expiry IS 'how long the session outlives a disconnect';
COMMENT ON COLUMN iotdata.connection.client_id IS 'MQTT client ID';
COMMENT ON COLUMN iotdata.connection.vpc_endpoint_id IS 'VPC endpoint that the client connected through (with socket information)';

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

COMMENT ON TYPE iotdata.delivery IS 'what the service says of a message that it delivered';
COMMENT ON COLUMN iotdata.delivery.message IS 'result, in the service''s words';
COMMENT ON COLUMN iotdata.delivery.trace_id IS 'identifier of the request, for AWS Support';

CREATE TYPE iotdata.payload_format_indicator AS ENUM (
	'UNSPECIFIED_BYTES',
	'UTF8_DATA'
);

COMMENT ON TYPE iotdata.payload_format_indicator IS 'whether an MQTT 5 payload is text in UTF-8';

-- connections

CREATE FUNCTION iotdata.get_connection(
	client_id text,
	include_socket_information boolean DEFAULT false)
RETURNS iotdata.connection
AS 'MODULE_PATHNAME', 'iotdata_get_connection'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000;

COMMENT ON FUNCTION iotdata.get_connection(text, boolean) IS
	'connection of an MQTT client; NULL when the service knows none';

-- subscriptions; ROWS is the service's quota of subscriptions for a client

CREATE FUNCTION iotdata.list_subscriptions(
	client_id text,
	page_size integer DEFAULT 200)
RETURNS SETOF iotdata.subscription
AS 'MODULE_PATHNAME', 'iotdata_list_subscriptions'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000 ROWS 50;

COMMENT ON FUNCTION iotdata.list_subscriptions(text, integer) IS
	'subscriptions of an MQTT client, page_size of them asked for at once';

-- messages; only the payload as bytea has a default, or a call without a
-- payload would be ambiguous

CREATE FUNCTION iotdata.send_direct_message(
	client_id text,
	topic text,
	payload bytea DEFAULT NULL,
	content_type text DEFAULT NULL,
	response_topic text DEFAULT NULL,
	confirmation boolean DEFAULT false,
	timeout interval DEFAULT NULL,
	user_properties jsonb DEFAULT NULL,
	payload_format_indicator iotdata.payload_format_indicator DEFAULT NULL,
	correlation_data bytea DEFAULT NULL)
RETURNS iotdata.delivery
AS 'MODULE_PATHNAME', 'iotdata_send_direct_message'
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
	correlation_data bytea DEFAULT NULL)
RETURNS iotdata.delivery
AS 'MODULE_PATHNAME', 'iotdata_send_direct_message'
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
	correlation_data bytea DEFAULT NULL)
RETURNS iotdata.delivery
AS 'MODULE_PATHNAME', 'iotdata_send_direct_message'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION iotdata.send_direct_message(text, text, bytea, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea) IS
	'send bytes to a connected MQTT client, and with confirmation wait for its PUBACK';
COMMENT ON FUNCTION iotdata.send_direct_message(text, text, text, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea) IS
	'send text, in UTF-8, to a connected MQTT client, and with confirmation wait for its PUBACK';
COMMENT ON FUNCTION iotdata.send_direct_message(text, text, jsonb, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea) IS
	'send JSON to a connected MQTT client, and with confirmation wait for its PUBACK';

-- the target

CREATE FUNCTION iotdata.target_info(
	OUT endpoint text,
	OUT region text,
	OUT credentials_source text,
	OUT access_key_id_suffix text,
	OUT credentials_expire_at timestamptz)
RETURNS record
AS 'MODULE_PATHNAME', 'iotdata_target_info'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION iotdata.target_info() IS
	'where calls go and as whom; never a secret';

-- calls cost money, reach devices and use the server's credentials: nobody has
-- them by default

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA iotdata FROM PUBLIC;
