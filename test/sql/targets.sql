-- Options of servers and user mappings: checked by name and value when they are
-- set, with nothing of a secret in any message.

-- names
CREATE SERVER s FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (regoin 'eu-west-1');
CREATE SERVER s FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (access_key_id 'AKIAEXAMPLE');
ALTER FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1');
CREATE SERVER s FOREIGN DATA WRAPPER iotdata_fdw;
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (region 'eu-west-1');
CREATE FOREIGN TABLE t (a integer) SERVER s OPTIONS (region 'eu-west-1');

-- values of a server
ALTER SERVER s OPTIONS (region 'eu west 1');
ALTER SERVER s OPTIONS (endpoint_url 'http://example.com');
ALTER SERVER s OPTIONS (endpoint_url 'localhost');
ALTER SERVER s OPTIONS (use_fips_endpoint 'perhaps');
ALTER SERVER s OPTIONS (use_dualstack_endpoint '');
ALTER SERVER s OPTIONS (ca_file '');
ALTER SERVER s OPTIONS (read_rate '-1');
ALTER SERVER s OPTIONS (read_rate '1.5');
ALTER SERVER s OPTIONS (send_rate '1000001');
ALTER SERVER s OPTIONS (send_rate '99999999999999999999');
ALTER SERVER s OPTIONS (endpoint_url 'http://localhost:1', use_fips_endpoint 'on');
ALTER SERVER s OPTIONS (region 'eu-west-1', endpoint_url 'http://[::1]:1', use_fips_endpoint 'off', use_dualstack_endpoint 'no',
	ca_file '/no/file.pem', read_rate '0', send_rate '1000000');
ALTER SERVER s OPTIONS (SET use_dualstack_endpoint 'on');

-- values of a user mapping
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_key_id 'AKIAEXAMPLE');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (secret_access_key 'NotToBeSeen');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (session_token 'NotToBeSeen');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_key_id 'AKIA EXAMPLE', secret_access_key 'NotToBeSeen');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_key_id 'AKIAEXAMPLE', secret_access_key E'NotToBeSeen\n');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_key_id 'AKIAEXAMPLE', secret_access_key 'NotToBeSeen', session_token '');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_key_id 'AKIAEXAMPLE', secret_access_key 'NotToBeSeen', profile 'default');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (profile 'default', use_default_credentials 'on');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (role_arn 'arn:aws:iam::123456789012:role/reader');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (use_default_credentials 'off', role_arn 'arn:aws:iam::123456789012:role/reader');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (use_default_credentials 'on', role_arn 'reader');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (use_default_credentials 'on', external_id 'of the partner');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (use_default_credentials 'on', external_id 'of-the-partner');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_key_id 'AKIAEXAMPLE', secret_access_key 'NotToBeSeen', session_token 'NotToBeSeen',
	role_arn 'arn:aws:iam::123456789012:role/reader', external_id 'of-the-partner', role_session_name 'postgres');
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP secret_access_key);
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP access_key_id, DROP secret_access_key, DROP session_token, ADD use_default_credentials 'on');

-- no server, none of this wrapper, none that the user may use, none with credentials
SELECT iotdata.get_connection('a', server => 'nowhere');
CREATE FOREIGN DATA WRAPPER regress_other;
CREATE SERVER other FOREIGN DATA WRAPPER regress_other;
SELECT iotdata.get_connection('a', server => 'other');
CREATE SERVER bare FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1');
CREATE USER MAPPING FOR PUBLIC SERVER bare;
SELECT iotdata.get_connection('a', server => 'bare');
SELECT * FROM iotdata.get_connections('{a,b}', server => 'bare');
SELECT * FROM iotdata.list_subscriptions('a', server => 'bare');
SELECT iotdata.send_direct_message('a', 'b', server => 'bare');
SELECT iotdata.delete_connection('a', server => 'bare');
SELECT * FROM iotdata.target_info('bare');
SET iotdata.server = 'bare';
SELECT iotdata.get_connection('a');
SET iotdata.server = 'nowhere';
SELECT iotdata.get_connection('a');
RESET iotdata.server;

-- what will be used, and why
SET iotdata.region = 'us-east-2';
SET iotdata.use_dualstack_endpoint = off;
CREATE SERVER shown FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (use_fips_endpoint 'on');
CREATE USER MAPPING FOR PUBLIC SERVER shown OPTIONS (access_key_id 'ASIAQNZGKIQY56JQ7WML', secret_access_key 'NotToBeSeen');
\x on
SELECT * FROM iotdata.target_info('shown');
\x off
RESET iotdata.region;
RESET iotdata.use_dualstack_endpoint;

-- the extension takes them along
DROP EXTENSION iotdata;
DROP EXTENSION iotdata CASCADE;
CREATE EXTENSION iotdata;
DROP SERVER other;
DROP FOREIGN DATA WRAPPER regress_other;
