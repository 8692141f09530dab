# Who may do what; where credentials come from; what is shown of them; standbys and parallel plans.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $emulator = IotData::Emulator->start;
my $lamp     = IotData::Client->start($emulator, 'lamp');
my $server   = IotData::FaultyServer->start(answers => { good => json_answer({ connected => JSON::PP::true }) });
my $node     = IotData::Node->make('privileges', endpoint => $emulator->url, init => { allows_streaming => 1 });
my $admin    = $node->session;

$admin->query('CREATE ROLE alice LOGIN; CREATE ROLE reader LOGIN');
my $alice = $node->session(user => 'alice');

my $get  = q{SELECT connected FROM iotdata.get_connection('lamp')};
my $list = q{SELECT count(*) FROM iotdata.list_subscriptions('lamp')};
my $send = q{SELECT message FROM iotdata.send_direct_message('lamp', 'a/b', 'x'::text)};

# ---- functions ----------------------------------------------------------------------------------

fails_with($alice, $_, '42501', {}, "a role without privileges may not: $_") for $get, $list, $send, 'SELECT * FROM iotdata.target_info()';
$admin->query('GRANT USAGE ON SCHEMA iotdata TO alice');
fails_with($alice, $_, '42501', { message => qr/function/ }, "a role with USAGE of the schema alone may not: $_") for $get, $list, $send, 'SELECT * FROM iotdata.target_info()';
is($emulator->requests, 0, 'a role without privileges sends nothing');
$admin->query('GRANT EXECUTE ON FUNCTION iotdata.get_connection TO alice');
gives($alice, $get, 't', 'a role with EXECUTE of a function may call it');
fails_with($alice, $send, '42501', {}, 'a role with EXECUTE of a function may not call another');
$admin->query('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO alice');
gives($alice, $_, '1', "a role with EXECUTE of all functions may: $_") for $list, "SELECT count(*) FROM ($send) s";

# sending as it is granted: each type of the payload is a function of its own
$admin->query('CREATE ROLE sender; GRANT USAGE ON SCHEMA iotdata TO sender');
my $sender = $node->session;
$sender->query('SET ROLE sender');
for my $type (qw(bytea text json jsonb))
{
	my $call = "SELECT count(*) FROM iotdata.send_direct_message('lamp', 'a/b', '1'::$type)";

	fails_with($sender, $call, '42501', {}, "a payload of type $type is not granted with others");
	$admin->query("GRANT EXECUTE ON FUNCTION iotdata.send_direct_message(text, text, $type, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, name) TO sender");
	gives($sender, $call, '1', "a payload of type $type can be granted");
}
$sender->quit;
gives($admin, <<'SQL', '0', 'nobody may execute a function of the extension by default');
SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'iotdata'
WHERE has_function_privilege('reader', p.oid, 'EXECUTE')
SQL
gives($admin, <<'SQL', '', 'every object of the extension has a comment');
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.deptype = 'e' AND e.extname = 'iotdata' AND obj_description(objid, classid::regclass::name) IS NULL
	AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND classid = 'pg_type'::regclass AND (typelem <> 0 OR typrelid <> 0))
SQL

# ---- settings -----------------------------------------------------------------------------------

for my $setting (
	[ endpoint_url      => $server->url ],
	[ region            => 'eu-west-1' ],
	[ use_fips_endpoint => 'on' ],
	[ use_dualstack_endpoint => 'on' ],
	[ ca_file           => '/tmp/ca.pem' ],
	[ max_response_size => '2MB' ],
	[ read_rate         => '7' ],
	[ send_rate         => '7' ])
{
	my ($name, $value) = @$setting;

	fails_with($alice, "SET iotdata.$name = '$value'", '42501', {}, "iotdata.$name is a superuser's");
	fails_with($alice, "SELECT set_config('iotdata.$name', '$value', false)", '42501', {}, "iotdata.$name is a superuser's in set_config");
	fails_with($alice, "ALTER ROLE alice SET iotdata.$name = '$value'", '42501', {}, "iotdata.$name is a superuser's in ALTER ROLE");
}
for my $setting (
	[ connect_timeout        => '2s' ],
	[ request_timeout        => '10s' ],
	[ max_attempts           => '1' ],
	[ max_concurrency        => '7' ],
	[ batch_joins            => 'off' ])
{
	my ($name, $value) = @$setting;

	gives($alice, "SET iotdata.$name = '$value'; SHOW iotdata.$name", $value, "iotdata.$name is anybody's");
	$alice->query("RESET iotdata.$name");
}
fails_with($alice, q{SET iotdata.nonsense = 1}, '42602', {}, 'an unknown setting is refused');
$admin->query($get);
fails_with($admin, q{SET iotdata.endpoint_url = 'http://192.0.2.1'}, '22023', {}, 'http to another machine is refused to a superuser');

# A session that sets a setting before the library is loaded gets no further. An option of the
# connection hides what postgresql.conf says, though, until the library is preloaded: then requests
# go to the region's own endpoint.
sub before_loading
{
	my ($what, $set, %options) = @_;
	my $early = $node->session(user => 'alice', %options);

	$early->try($set) if defined $set;
	my $asked = $server->requests;
	my $result = $early->try($get);
	is($server->requests, $asked, "$what does not send requests elsewhere");
	is($result->{out}, 't', "$what leaves the call where the superuser sent it") or diag($result->{stderr});
	isnt($early->query('SHOW iotdata.endpoint_url'), $server->url, "$what is not shown as the endpoint");
	$early->quit;
	return;
}
my $elsewhere = $server->url;
my $function  = "CREATE FUNCTION pg_temp.f() RETURNS boolean LANGUAGE sql SET iotdata.endpoint_url = '$elsewhere' AS \$\$ $get \$\$; SELECT pg_temp.f()";
my %option    = (variables => { PGOPTIONS => "-c iotdata.endpoint_url=$elsewhere" });

before_loading('SET before the library is loaded', "SET iotdata.endpoint_url = '$elsewhere'");
before_loading('SET LOCAL before the library is loaded', "BEGIN; SET LOCAL iotdata.endpoint_url = '$elsewhere'");
before_loading('a function with a setting', $function);
my $hasty = $node->session(user => 'alice');
$hasty->try("ALTER ROLE alice SET iotdata.endpoint_url = '$elsewhere'");
$hasty->quit;
before_loading('ALTER ROLE before the library is loaded', undef);

my $early = $node->session(user => 'alice', %option);
$early->try($get);
is(scalar $server->requests, 0, 'an option of the connection does not send requests elsewhere');
isnt($early->query('SHOW iotdata.endpoint_url'), $elsewhere, 'an option of the connection is not taken');
$early->quit;
$admin->query('ALTER ROLE alice RESET ALL');
$alice->quit;

$admin->quit;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'iotdata'\n");
$node->restart_with({});
$admin = $node->session;
ok(!eval { $node->session(user => 'alice', %option) }, 'a connection with such an option is refused where the library is preloaded');
before_loading('SET where the library is preloaded', "SET iotdata.endpoint_url = '$elsewhere'");
gives($admin, $get, 't', 'a preloaded library makes calls');

# ---- transactions, standbys, parallel plans -----------------------------------------------------

gives($admin, "BEGIN READ ONLY; $get; COMMIT", 't', 'a read-only transaction reads');
gives($admin, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; $get; COMMIT", 't', 'a serializable read-only transaction reads');
# the setting's name, before 16 and since
my $by_force = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
gives($admin, <<"SQL", '3', 'a plan that is made parallel by force reads');
CREATE TABLE device AS SELECT 'lamp' AS client_id FROM generate_series(1, 3);
SET $by_force = on;
SELECT count(*) FROM device d WHERE (iotdata.get_connection(d.client_id)).connected
SQL
$admin->query("RESET $by_force");

$node->backup('for_standby');
my $standby = IotData::Node->new('standby');
$standby->init_from_backup($node, 'for_standby', has_streaming => 1);
$standby->start;
my $there = $standby->session;
gives($there, 'SELECT pg_is_in_recovery()', 't', 'the second server is a standby');
gives($there, $get,  't', 'a standby reads');
gives($there, $list, '1', 'a standby lists');
fails_with($there, $send, '25006', {}, 'a standby sends nothing');
$there->quit;
$standby->stop('fast');

# ---- credentials --------------------------------------------------------------------------------

my $info = 'SELECT endpoint, region, credentials_source, access_key_id_suffix, credentials_expire_at FROM iotdata.target_info()';
like($admin->query($info), qr{\A\Q@{[ $emulator->url ]}\E/?\|us-east-1\|environment\|MPLE\|NULL\z}, 'target_info says where calls go, as whom, and no secret');
gives($admin, q{SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, -1), ', ' ORDER BY ord) FROM pg_proc p, unnest(p.proallargtypes, p.proargnames) WITH ORDINALITY x(t, attname, ord), LATERAL (SELECT x.attname, x.t AS atttypid) a WHERE p.proname = 'target_info'},
	'server name, endpoint text, region text, credentials_source text, access_key_id_suffix text, credentials_expire_at timestamp with time zone, server name, endpoint_source text, region_source text, credentials_origin text, account_id text, error_message text, error_detail text', 'target_info has this argument and these columns, and no others');

# with_environment(VARIABLES): a new session of a server whose environment has these
sub with_environment
{
	my (%environment) = @_;

	$admin->quit;
	$node->restart_with(\%environment);
	$admin = $node->session;
	$admin->query("SET iotdata.endpoint_url = '" . $server->url . "'");
	return;
}

my @no_keys = (AWS_ACCESS_KEY_ID => undef, AWS_SECRET_ACCESS_KEY => undef);
my $good    = q{SELECT connected FROM iotdata.get_connection('good')};
my $sent    = $server->requests;
my $secret  = 'NotToBeSeen/wJalrXUtnFEMI';

for my $case (
	[ 'no credentials at all',            @no_keys ],
	[ 'an access key without its secret', @no_keys, AWS_ACCESS_KEY_ID => 'AKIDEXAMPLE' ],
	[ 'a secret without its access key',  @no_keys, AWS_SECRET_ACCESS_KEY => $secret ],
	[ 'empty variables',                  AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '' ],
	[ 'a session token alone',            @no_keys, AWS_SESSION_TOKEN => $secret ],
	[ 'a session token with CR and LF',   AWS_SESSION_TOKEN => "$secret\r\nX-Evil: 1" ],
	[ 'a session token with LF',          AWS_SESSION_TOKEN => "$secret\n" ],
	[ 'a secret with LF',                 AWS_SECRET_ACCESS_KEY => "$secret\n" ],
	[ 'an access key with a blank',       AWS_ACCESS_KEY_ID => 'AKID EXAMPLE' ],
	[ 'an access key with CR and LF',     AWS_ACCESS_KEY_ID => "AKIDEXAMPLE\r\nX-Evil: 1" ])
{
	my ($what, @environment) = @$case;

	with_environment(@environment);
	my $result = fails_with($admin, $good, '28000', {}, "calls fail with $what");
	ok(length($result->{hint} // ''), 'an error without credentials has a hint') if $what =~ /^no credentials/;
	unlike($result->{stderr}, qr/\Q$secret\E/, "an error with $what shows no secret");
	is($server->requests, $sent, "nothing is sent with $what");
}
unlike($node->log_text, qr/\Q$secret\E/, 'the log shows no secret');

with_environment(AWS_SESSION_TOKEN => 'aSessionToken==');
gives($admin, $good, 't', 'a call with a session token succeeds');
my ($request) = reverse $server->requests('good');
is($request->{headers}{'x-amz-security-token'}, 'aSessionToken==', 'a session token is sent');
like($request->{headers}{authorization}, qr/SignedHeaders=host;x-amz-date;x-amz-security-token,/, 'a session token is signed');
with_environment();
$admin->query($good);
($request) = reverse $server->requests('good');
ok(!exists $request->{headers}{'x-amz-security-token'}, 'without a session token no header is sent for it');

with_environment(AWS_SECRET_ACCESS_KEY => 'aWrongSecret');
$admin->query("SET iotdata.endpoint_url = '" . $emulator->url . "'");
fails_with($admin, $get, 'IO403', {}, 'a signature that the service does not accept is IO403');

# ---- region and endpoint ------------------------------------------------------------------------

sub scope_is
{
	my ($region, $name) = @_;

	$admin->query($good);
	my ($last) = reverse $server->requests('good');

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like($last->{headers}{authorization}, qr{Credential=AKIDEXAMPLE/\d+/$region/iotdata/aws4_request,}, $name);
}
with_environment(AWS_REGION => 'eu-west-1', AWS_DEFAULT_REGION => 'eu-west-2');
scope_is('eu-west-1', 'AWS_REGION is the region');
$admin->query("SET iotdata.region = 'ap-south-1'");
scope_is('ap-south-1', 'iotdata.region comes before AWS_REGION');
with_environment(AWS_REGION => undef, AWS_DEFAULT_REGION => 'eu-west-2');
scope_is('eu-west-2', 'AWS_DEFAULT_REGION is the region when there is no AWS_REGION');
with_environment(AWS_REGION => undef);
fails_with($admin, $good, '22023', { message => qr/region/ }, 'a call without any region fails');
$admin->query("SET iotdata.region = 'eu-central-1'; SET iotdata.endpoint_url = ''");
like($admin->query($info), qr{\Ahttps://data-ats\.iot\.eu-central-1\.amazonaws\.com/?\|eu-central-1\|}, 'the endpoint is the region\'s when none is set');

for my $case (
	[ off => on  => 'data-ats.iot.eu-central-1.api.aws' ],
	[ on  => off => 'data-ats.iot-fips.eu-central-1.amazonaws.com' ],
	[ on  => on  => 'data-ats.iot-fips.eu-central-1.api.aws' ])
{
	my ($fips, $dualstack, $host) = @$case;

	$admin->query("SET iotdata.use_fips_endpoint = $fips; SET iotdata.use_dualstack_endpoint = $dualstack");
	gives($admin, 'SELECT endpoint FROM iotdata.target_info()', "https://$host", "the region's endpoint with use_fips_endpoint $fips and use_dualstack_endpoint $dualstack is its own");
}

# the environment of AWS's own tools names an endpoint, too
with_environment(AWS_ENDPOINT_URL => 'http://192.0.2.1', AWS_ENDPOINT_URL_IOT_DATA_PLANE => 'http://192.0.2.2');
gives($admin, $good, 't', 'the setting iotdata.endpoint_url comes before the environment');

no_crash($node);
done_testing();
