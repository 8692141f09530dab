-- The settings: their defaults, who may set them, what they take.
LOAD 'iotdata';

SELECT name, setting, unit, context, min_val, max_val
FROM pg_settings WHERE name LIKE 'iotdata.%'
	AND name NOT IN ('iotdata.region', 'iotdata.endpoint_url', 'iotdata.ca_file')
ORDER BY name;
SELECT name, boot_val, context
FROM pg_settings WHERE name IN ('iotdata.region', 'iotdata.endpoint_url', 'iotdata.ca_file')
ORDER BY name;

-- the prefix is reserved: a misspelt name is an error
SET iotdata.regoin = 'eu-west-1';

-- a region is one host label
SET iotdata.region = 'eu-west-1';
SET iotdata.region = '';
SET iotdata.region = 'eu-west-1.example.com';
SET iotdata.region = 'eu/west';
SET iotdata.region = '-eu';
SET iotdata.region = E'eu\r\nwest';
SELECT set_config('iotdata.region', repeat('a', 64), false);

-- an endpoint is a scheme, a host and a port
SET iotdata.endpoint_url = 'https://data.example.com';
SET iotdata.endpoint_url = 'https://data.example.com:8443/';
SET iotdata.endpoint_url = 'data.example.com';
SET iotdata.endpoint_url = 'ftp://data.example.com';
SET iotdata.endpoint_url = 'https://';
SET iotdata.endpoint_url = 'https://data.example.com:0';
SET iotdata.endpoint_url = 'https://data.example.com:65536';
SET iotdata.endpoint_url = 'https://data.example.com/path';
SET iotdata.endpoint_url = 'https://user:password@data.example.com';
SET iotdata.endpoint_url = 'https://data.example.com?a=b';
SET iotdata.endpoint_url = E'https://data.example.com\r\nX-Other: 1';

-- http is for loopback
SET iotdata.endpoint_url = 'http://localhost:8080';
SET iotdata.endpoint_url = 'http://127.1.2.3';
SET iotdata.endpoint_url = 'http://[::1]:8080';
SET iotdata.endpoint_url = 'http://data.example.com';
SET iotdata.endpoint_url = 'http://127.0.0.1.example.com';
SET iotdata.endpoint_url = 'http://10.0.0.1';

-- units are understood
SET iotdata.request_timeout = '5 min';
SHOW iotdata.request_timeout;
SET iotdata.max_response_size = '2 MB';
SHOW iotdata.max_response_size;

-- the endpoint of every kind of region
RESET iotdata.endpoint_url;
CREATE FUNCTION endpoint_of(region text, fips boolean, dualstack boolean) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('iotdata.region', region, true),
		set_config('iotdata.use_fips_endpoint', fips::text, true),
		set_config('iotdata.use_dualstack_endpoint', dualstack::text, true);
	RETURN (SELECT endpoint FROM iotdata.target_info());
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN SQLERRM;
END $$;
SELECT region,
	endpoint_of(region, false, false) AS "default",
	endpoint_of(region, true, false) AS fips,
	endpoint_of(region, false, true) AS dualstack,
	endpoint_of(region, true, true) AS fips_dualstack
FROM unnest(ARRAY['eu-west-1', 'us-east-1', 'us-gov-west-1', 'cn-north-1', 'cn-northwest-1',
	'eusc-de-east-1', 'us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1', 'us-isof-south-1']) region;
DROP FUNCTION endpoint_of;

-- an endpoint of one's own cannot be FIPS or dual-stack as well
SET iotdata.region = 'eu-west-1';
SET iotdata.endpoint_url = 'https://data.example.com';
SET iotdata.use_fips_endpoint = on;
SELECT endpoint FROM iotdata.target_info();
RESET iotdata.use_fips_endpoint;
SELECT endpoint, region FROM iotdata.target_info();

-- others than superusers: what decides where signed requests go is not theirs
CREATE ROLE regress_iotdata_user;
SET ROLE regress_iotdata_user;
SET iotdata.region = 'us-east-1';
SET iotdata.request_timeout = '10 s';
SET iotdata.use_dualstack_endpoint = off;
SET iotdata.endpoint_url = 'https://data.example.org';
SET iotdata.ca_file = '/etc/passwd';
SET iotdata.max_response_size = '1 GB';
RESET ROLE;
DROP ROLE regress_iotdata_user;
