-- The settings: their defaults, who may set them, what they take.
LOAD 'iotdata';

-- without the one that there is in a server that has preloaded the library
SELECT name, coalesce(boot_val, '') AS "default", unit, context, min_val, max_val
FROM pg_settings WHERE name LIKE 'iotdata.%' AND name <> 'iotdata.cache_size'
ORDER BY name COLLATE "C";

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

-- an endpoint of one's own cannot be FIPS or dual-stack as well
SET iotdata.region = 'eu-west-1';
SET iotdata.endpoint_url = 'https://data.example.com';
SET iotdata.use_fips_endpoint = on;
SELECT endpoint FROM iotdata.target_info();
SET iotdata.use_fips_endpoint = off;
SET iotdata.use_dualstack_endpoint = on;
SELECT endpoint FROM iotdata.target_info();
SET iotdata.use_dualstack_endpoint = off;

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
