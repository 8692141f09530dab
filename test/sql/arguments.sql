-- Bad arguments are refused before anything is sent, with the argument's name
-- and its limit; good ones, up to the limit, are not.
--
-- Nothing is sent here, whatever the server's settings are: an argument that
-- passes meets these settings next, which contradict each other.
SET iotdata.region = 'eu-west-1';
SET iotdata.endpoint_url = 'http://127.0.0.1:1';
SET iotdata.use_fips_endpoint = on;

CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	context text;
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'returned';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	IF SQLERRM LIKE 'iotdata.endpoint_url cannot be used together with iotdata.use_fips_endpoint%' THEN
		RETURN 'accepted';
	END IF;
	RETURN format('%s: %s (%s)', SQLSTATE, SQLERRM, split_part(context, E'\n', 1));
END $$;

-- client ID
SELECT try($$iotdata.get_connection('sensor-1')$$);
SELECT try($$iotdata.get_connection('')$$);
SELECT try(format('iotdata.get_connection(%L)', repeat('x', 128)));
SELECT try(format('iotdata.get_connection(%L)', repeat('x', 129)));
SELECT try(format('iotdata.get_connection(%L)', repeat('é', 64)));
SELECT try(format('iotdata.get_connection(%L)', repeat('é', 65)));
SELECT try($$iotdata.get_connection('$aws')$$);
SELECT try($$iotdata.get_connection('.')$$);
SELECT try($$iotdata.get_connection('..')$$);
SELECT try($$iotdata.get_connection('...')$$);
SELECT try($$iotdata.get_connection('a/../b')$$);
SELECT try($$iotdata.list_subscriptions('')$$);
SELECT try($$iotdata.send_direct_message('..', 'a')$$);

SELECT try($$iotdata.delete_connection('$aws')$$);
SELECT try($$iotdata.delete_connection('a', NULL, NULL)$$);
SELECT try($$iotdata.delete_connection(NULL)$$);

-- page size
SELECT try($$iotdata.list_subscriptions('a', 0)$$);
SELECT try($$iotdata.list_subscriptions('a', 1)$$);
SELECT try($$iotdata.list_subscriptions('a', 200)$$);
SELECT try($$iotdata.list_subscriptions('a', 201)$$);
SELECT try($$iotdata.list_subscriptions('a', -2147483648)$$);
SELECT try($$iotdata.list_subscriptions('a', NULL)$$);

-- topic
SELECT try($$iotdata.send_direct_message('a', '')$$);
SELECT try(format('iotdata.send_direct_message(%L, %L)', 'a', repeat('x', 256)));
SELECT try(format('iotdata.send_direct_message(%L, %L)', 'a', repeat('x', 257)));
SELECT try($$iotdata.send_direct_message('a', '1/2/3/4/5/6/7/8')$$);
SELECT try($$iotdata.send_direct_message('a', '1/2/3/4/5/6/7/8/9')$$);
SELECT try($$iotdata.send_direct_message('a', 'a/+/b')$$);
SELECT try($$iotdata.send_direct_message('a', 'a/#')$$);
SELECT try($$iotdata.send_direct_message('a', '$aws/things')$$);
SELECT try($$iotdata.send_direct_message('a', E'a\r\nb')$$);

-- response topic
SELECT try($$iotdata.send_direct_message('a', 'b', response_topic => 'r/1')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', response_topic => '')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', response_topic => 'r/+')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', response_topic => 'r/#')$$);
SELECT try(format('iotdata.send_direct_message(%L, %L, response_topic => %L)', 'a', 'b', repeat('x', 257)));

-- payload, of each type
SELECT try($$iotdata.send_direct_message('a', 'b')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', ''::text)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', ''::bytea)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', 'null'::json)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', 'null'::jsonb)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', repeat('x', 131072))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', repeat('x', 131073))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', convert_to(repeat('x', 131073), 'UTF8'))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', to_json(repeat('x', 131070)))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', to_json(repeat('x', 131071)))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', to_jsonb(repeat('x', 131070)))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', to_jsonb(repeat('x', 131071)))$$);

-- content type
SELECT try($$iotdata.send_direct_message('a', 'b', content_type => 'application/json')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', content_type => E'text/plain\r\nX-Other: 1')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', content_type => E'text/plain\n')$$);
SELECT try(format('iotdata.send_direct_message(%L, %L, content_type => %L)', 'a', 'b', repeat('x', 257)));

-- timeout
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '1 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '15 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '0 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '16 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '-1 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '0.5 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '1.5 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '1 day')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true, timeout => '1 month -29 days -23:59:55')$$);
-- it means nothing without confirmation, and says so
SELECT try($$iotdata.send_direct_message('a', 'b', timeout => '5 s')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', timeout => '5 s', confirmation => false)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', timeout => '5 s', confirmation => NULL)$$);

-- user properties, in both forms
SELECT try($$iotdata.send_direct_message('a', 'b', user_properties => '{"a": "1", "b": "2"}')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', user_properties => '[{"a": "1"}, {"a": "2"}]')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', user_properties => '{}')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', user_properties => '[]')$$);
SELECT try(format($$iotdata.send_direct_message('a', 'b', user_properties => %L)$$, bad))
FROM unnest(ARRAY['1', '"a"', 'null', 'true', '["a"]', '[{"a": "1", "b": "2"}]', '[{}]',
	'[["a", "1"]]', '{"a": 1}', '{"a": null}', '{"a": {"b": "c"}}', '[{"a": ["b"]}]',
	'[{"a": "1"}, 2]', '[[]]']) bad;
SELECT try(format($$iotdata.send_direct_message('a', 'b', user_properties => %L)$$,
	jsonb_build_object('name', repeat('x', 8183))));
SELECT try(format($$iotdata.send_direct_message('a', 'b', user_properties => %L)$$,
	jsonb_build_object('name', repeat('x', 8184))));
-- properties count, however short they are
SELECT try(format($$iotdata.send_direct_message('a', 'b', user_properties => %L)$$,
	(SELECT jsonb_agg('{"": ""}'::jsonb) FROM generate_series(1, 1638))));
SELECT try(format($$iotdata.send_direct_message('a', 'b', user_properties => %L)$$,
	(SELECT jsonb_agg('{"": ""}'::jsonb) FROM generate_series(1, 1639))));
-- what counts is the text, not how it is escaped
SELECT try(format($$iotdata.send_direct_message('a', 'b', user_properties => %L)$$,
	jsonb_build_object('name', repeat(E'\n', 8183))));

-- correlation data and the format indicator
SELECT try($$iotdata.send_direct_message('a', 'b', correlation_data => decode(repeat('00', 8192), 'hex'))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', correlation_data => decode(repeat('00', 8193), 'hex'))$$);
SELECT try($$iotdata.send_direct_message('a', 'b', correlation_data => '')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', payload_format_indicator => 'UTF8_DATA')$$);
SELECT try($$iotdata.send_direct_message('a', 'b', payload_format_indicator => 'TEXT')$$);

-- NULL: a read gives NULL or no rows, an action is an error
SELECT iotdata.get_connection(NULL) IS NULL AS is_null;
SELECT iotdata.get_connection(NULL, NULL) IS NULL AS is_null;
SELECT count(*) FROM iotdata.list_subscriptions(NULL);
SELECT try($$iotdata.send_direct_message(NULL, 'b')$$);
SELECT try($$iotdata.send_direct_message('a', NULL)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', NULL)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', NULL::bytea)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', NULL::json)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', NULL::jsonb)$$);
-- an optional one is left out
SELECT try($$iotdata.get_connection('a', NULL)$$);
SELECT try($$iotdata.send_direct_message('a', 'b', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL)$$);

-- the payload's type decides, and without one the call is not ambiguous
SELECT try($$iotdata.send_direct_message('a', 'b', confirmation => true)$$);

DROP FUNCTION try;
