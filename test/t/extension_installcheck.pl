# "make installcheck" against a server that is somebody's: it passes whatever the server's settings
# and AWS variables are, sends nothing, and leaves statistics and cached answers as they were.

use strict;
use warnings FATAL => 'all';

use File::Path qw(make_path);
use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use PostgreSQL::Test::Utils qw(run_log slurp_file);
use Test::More;

my $server = IotData::FaultyServer->start(answers => { good => json_answer({ connected => JSON::PP::true }) });

# A copy of what installcheck needs, for it writes beside it.
sub copy_of_source
{
	my $folder = PostgreSQL::Test::Utils::tempdir_short();
	my $source = $ENV{TESTDIR};

	make_path("$folder/test");
	system('cp', '-r', "$source/Makefile", "$source/iotdata.control", "$source/sql", "$source/expected", $folder) == 0
	  && system('cp', '-r', "$source/test/sql", "$folder/test") == 0
	  or die 'cannot copy the regression tests';
	return $folder;
}

# passes(NODE, NAME)
sub passes
{
	my ($node, $name) = @_;
	my $folder = copy_of_source();
	my $passed = do
	{
		local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
		delete @ENV{qw(MAKEFLAGS MAKELEVEL)};
		run_log([ 'make', '-C', $folder, 'PG_CONFIG=' . $node->installed_command('pg_config'), 'TAP_TESTS=', 'installcheck' ], '>', "$folder/log", '2>&1');
	};

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($passed, $name) || diag(map { -e $_ ? slurp_file($_) : () } "$folder/log", "$folder/regression.diffs");
}

# ---- a server that knows nothing of AWS ---------------------------------------------------------

my $plain = IotData::Node->make('plain', environment => { map { $_ => undef } qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION) });

passes($plain, 'installcheck passes where there are no credentials, no region and no preloading');
$plain->stop('fast');

# ---- a server as the README sets it up, in use --------------------------------------------------

my $used = IotData::Node->make('used', endpoint => $server->url, conf => <<'CONF');
shared_preload_libraries = 'iotdata'
iotdata.cache_size = '2MB'
iotdata.max_attempts = 10
iotdata.batch_joins = off
iotdata.request_timeout = '7s'
iotdata.max_response_size = '2MB'
CONF
my $session    = $used->session;
my $statistics = 'SELECT to_jsonb(s) FROM iotdata.stat_calls s ORDER BY 1';

$session->query(q{SELECT iotdata.get_connection('good')});
my $before = $session->query($statistics);
like($before, qr/"calls": 1\b/, 'the server has statistics');
my $requests = $server->requests;

passes($used, 'installcheck passes where the library is preloaded and has settings');
is(scalar $server->requests, $requests, 'installcheck sends nothing to the endpoint of the server');
is($session->query($statistics), $before, 'installcheck leaves the statistics as they were');
gives($session, q{SELECT connected FROM iotdata.get_connection('good', max_age => '1 hour')}, 't', 'an answer that was cached before installcheck is there after it');
is(scalar $server->requests, $requests, 'an answer that was cached before installcheck makes no request after it');
gives($session, q{SELECT count(*) FROM pg_roles WHERE rolname ~ '^regress'}, '0', 'installcheck leaves no role');
$session->quit;
no_crash($used);
$used->stop('fast');

# ---- a server where nothing works ---------------------------------------------------------------

my $broken = IotData::Node->make(
	'broken',
	environment => { AWS_ACCESS_KEY_ID => 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY => undef, AWS_REGION => 'not a region', HTTPS_PROXY => $server->url },
	conf        => <<'CONF');
iotdata.use_fips_endpoint = on
iotdata.use_dualstack_endpoint = on
iotdata.ca_file = '/nowhere'
iotdata.connect_timeout = '1ms'
iotdata.read_rate = 1
CONF

my $connections = $server->connections;
passes($broken, 'installcheck passes where credentials, region and settings are unusable');
is($server->connections, $connections, 'installcheck connects to no proxy');
no_crash($broken);

done_testing();
