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
\echo The trigger puts a message into the outbox, in the transaction that changes the row. A background
\echo worker of the server sends it after the commit.
\echo
CREATE TRIGGER config AFTER UPDATE OF config ON device
	FOR EACH ROW EXECUTE FUNCTION
	iotdata.queue_direct_message_trigger('client_id', 'device/{client_id}/config', 'config');

UPDATE device SET config = '{"celsius": 19, "night": true}' WHERE client_id = 'thermostat-1';
\! "$DEVICE" prints thermostat-1

\echo What is rolled back is not sent.
\echo
BEGIN;
UPDATE device SET config = '{"celsius": 99}' WHERE client_id = 'thermostat-1';
ROLLBACK;
\echo
\echo The row of a device that is off is changed as any other. Its message is tried again, until the
\echo device is there or the message expires.
\echo
UPDATE device SET config = '{"zoom": 2}' WHERE client_id = 'camera-9';
\set ECHO none
-- until the worker has tried it
DO $$
BEGIN
	FOR i IN 1 .. 6000 LOOP
		EXIT WHEN EXISTS (SELECT FROM iotdata.outbox_retry);
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
\set ECHO queries
SELECT attempts, error_code, error_message FROM iotdata.outbox_retry;

\echo camera-9 comes up, and gets it.
\echo
\! "$DEVICE" comes camera-9 -V mqttv5 -t 'camera/#'
\! "$DEVICE" prints camera-9
\set ECHO none
-- until it is recorded, too
DO $$
BEGIN
	FOR i IN 1 .. 6000 LOOP
		EXIT WHEN NOT EXISTS (SELECT FROM iotdata.outbox);
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
\set ECHO queries
SELECT state, messages FROM iotdata.outbox_status;

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

\echo == 10. A message to a whole fleet
\echo
\echo One statement queues 300 messages, and they are sent while the session goes on. The 20 devices that
\echo are off get theirs if they come within an hour.
\echo
SELECT count(iotdata.queue_direct_message(client_id, 'firmware', '{"version": 7}'::jsonb, expires_in => '1 hour'))
FROM device WHERE place = 'field';
\set ECHO none
-- until each has been sent once
DO $$
BEGIN
	FOR i IN 1 .. 6000 LOOP
		EXIT WHEN (SELECT count(*) FROM iotdata.outbox) = 20 AND (SELECT count(*) FROM iotdata.outbox_retry) = 20;
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
\set ECHO queries
SELECT state, messages FROM iotdata.outbox_status WHERE messages > 0;

\echo == 11. Errors as rows
\echo
\echo get_connections goes on after an error: no client ID begins with a dollar sign.
\echo
SELECT client_id, (connection).connected, error_code, error_message
FROM iotdata.get_connections(ARRAY['sensor-1', '$sensor', 'silent-1', 'camera-9'], max_age => '1 minute');

\echo == 12. Statistics
\echo
\echo All calls so far. The errors are those of 6, and of devices that are off. None was throttled: the
\echo endpoint answers what exceeds its quota with 429.
\echo
SELECT operation, calls, retries, throttled, errors_client, errors_server, cache_hits
FROM iotdata.stat_calls ORDER BY operation;

\echo == 13. A job
\echo
\echo pg_cron runs statements on a schedule. This job asks each device that is connected right now for a
\echo 'report. On a server of yours its schedule would be ''0 * * * *'', every hour. Here it is the start of'
\echo the server, which is started again now.
\echo
CREATE EXTENSION pg_cron;
SELECT cron.schedule('reports', '@reboot', $$
	SELECT iotdata.queue_direct_message(d.client_id, 'device/' || d.client_id || '/report', '{"since": "1 hour"}'::jsonb,
		expires_in => '10 minutes')
	FROM device d CROSS JOIN LATERAL iotdata.get_connection(d.client_id) c
	WHERE c.connected AND d.place <> 'field'
$$);
