-- iotdata 1.1: delete_connection.

-- complain if the script is run by psql rather than by ALTER EXTENSION
\echo Use "ALTER EXTENSION iotdata UPDATE" to load this file. \quit

-- ALTER EXTENSION puts the schema iotdata first, where others may have put
-- operators and functions of their own. No name below may find those.
SET LOCAL search_path TO pg_catalog, pg_temp;

CREATE FUNCTION iotdata.delete_connection(
	client_id text,
	clean_session boolean DEFAULT false,
	prevent_will_message boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'iotdata_delete_connection'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION iotdata.delete_connection(text, boolean, boolean) IS
	'disconnect an MQTT client, with clean_session forget its session too';

REVOKE ALL ON FUNCTION iotdata.delete_connection(text, boolean, boolean) FROM PUBLIC;
