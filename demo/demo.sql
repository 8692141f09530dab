-- What demo/run.sh shows, once the devices are there. Every statement is echoed.
-- psql's \! runs demo/device.sh, which shows what a device printed.
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null '-'
SET timezone = 'UTC';
\set ECHO queries

\echo
\echo == 1. A table of devices
\echo
\echo The extension is created in a database, beside a table of devices.
\echo
CREATE EXTENSION iotdata;
CREATE TABLE device (
	client_id text PRIMARY KEY,
	place     text,
	config    jsonb DEFAULT '{}'
);
INSERT INTO device VALUES
	('thermostat-1', 'kitchen'), ('thermostat-2', 'hall'), ('door-7', 'gate'),
	('pump-3', 'cellar'), ('camera-9', 'roof');

\echo
\echo == 2. The table, joined with live connections
\echo
\echo For each row the endpoint is asked about the client. camera-9 has never connected: its columns
\echo are NULL. The connection of door-7 was lost.
\echo
SELECT d.client_id, d.place, c.connected, c.keep_alive_duration AS keep_alive,
	c.session_expiry, c.clean_session AS clean, c.disconnect_reason
FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true
ORDER BY d.client_id;

\echo One of them with its addresses and ports, which the service gives on request only.
\echo
SELECT c.connected_since, c.source_ip, c.source_port, c.target_port
FROM iotdata.get_connection('thermostat-1', include_socket_information => true) c;

\echo == 3. Subscriptions of one device
\echo
SELECT * FROM iotdata.list_subscriptions('thermostat-1') ORDER BY topic_filter;

\echo == 4. A message to a device
\echo
\echo It goes to this one client, whether it subscribes to the topic or not, and carries MQTT 5
\echo properties.
\echo
SELECT * FROM iotdata.send_direct_message('thermostat-1', 'room/kitchen/target', '{"celsius": 21.5}'::jsonb,
	content_type => 'application/json',
	response_topic => 'answers/thermostat-1',
	correlation_data => 'order-4711',
	user_properties => '{"sent-by": "PostgreSQL", "priority": "low"}');
\! "$DEVICE" prints thermostat-1

\echo == 5. A message that the device confirms
\echo
\echo The statement returns when the device has confirmed it (QoS 1 and its PUBACK).
\echo
SELECT message FROM iotdata.send_direct_message('thermostat-2', 'room/hall/target', 'off'::text, confirmation => true);
\! "$DEVICE" prints thermostat-2

\echo == 6. A message that is never confirmed
\echo
\echo pump-3 is connected but hangs. After the timeout the statement fails, with an SQLSTATE of its own.
\echo
\! "$DEVICE" hangs pump-3
\set ON_ERROR_STOP off
SELECT message FROM iotdata.send_direct_message('pump-3', 'pump/speed', '7'::text, confirmation => true, timeout => '2 s');
\set ON_ERROR_STOP on
\echo 'SQLSTATE:' :LAST_ERROR_SQLSTATE
\echo
\set ECHO none
SELECT :'LAST_ERROR_SQLSTATE' = 'IO504' AS as_expected \gset
\if :as_expected
\else
	\echo 'That is not the error that this demo is about.'
	SELECT 1 / 0;
\endif
\! "$DEVICE" wakes pump-3
\set ECHO queries

\echo == 7. A trigger that sends a device its configuration
\echo
\echo A device that is off is an error, which PL/pgSQL can catch by its SQLSTATE.
\echo
CREATE FUNCTION send_config() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM iotdata.send_direct_message(NEW.client_id, 'device/' || NEW.client_id || '/config', NEW.config);
	RETURN NULL;
EXCEPTION WHEN SQLSTATE 'IO404' THEN
	RAISE NOTICE '% is not connected', NEW.client_id;
	RETURN NULL;
END $$;
CREATE TRIGGER send_config AFTER UPDATE OF config ON device FOR EACH ROW EXECUTE FUNCTION send_config();

\echo
\echo A row changes, and the device gets the message.
\echo
UPDATE device SET config = '{"celsius": 19, "night": true}' WHERE client_id = 'thermostat-1';
\! "$DEVICE" prints thermostat-1

\echo The row of a device that is off:
\echo
UPDATE device SET config = '{"zoom": 2}' WHERE client_id = 'camera-9';
\echo
\echo == 8. A whole fleet
\echo
\echo 300 more devices, and the same join. Many devices are asked about at once, but no more than 100 a
\echo second: that is the quota of AWS, and nearly all of the time is the wait for it (Rate Wait Time).
\echo
INSERT INTO device SELECT 'sensor-' || n, 'field' FROM generate_series(1, 280) n;
INSERT INTO device SELECT 'silent-' || n, 'field' FROM generate_series(1, 20) n;
VACUUM ANALYZE device;
EXPLAIN (ANALYZE, COSTS OFF)
SELECT d.client_id, c.connected
FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true;

\echo == 9. Answers from the cache
\echo
\echo With max_age, an answer that any session got within the last minute will do. There is one for
\echo each device now, so no call is made.
\echo
EXPLAIN (ANALYZE, COSTS OFF)
SELECT d.client_id, c.connected
FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id, max_age => '1 minute') c ON true;

\echo The same, by state:
\echo
SELECT c.connected, c.disconnect_reason, count(*)
FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id, max_age => '1 minute') c ON true
GROUP BY c.connected, c.disconnect_reason ORDER BY count(*) DESC, c.disconnect_reason;

\echo == 10. Errors as rows
\echo
\echo get_connections goes on after an error: no client ID begins with a dollar sign.
\echo
SELECT client_id, (connection).connected, error_code, error_message
FROM iotdata.get_connections(ARRAY['sensor-1', '$sensor', 'silent-1', 'camera-9'], max_age => '1 minute');

\echo == 11. Statistics
\echo
\echo All calls of this demo. The two errors are those of 6 and 7. None was throttled: the endpoint answers
\echo what exceeds its quota with 429.
\echo
SELECT operation, calls, retries, throttled, errors_client, errors_server, cache_hits
FROM iotdata.stat_calls ORDER BY operation;
