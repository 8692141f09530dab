# stat_calls: what calls were made, and how they went; who may see it; cache_reset.

use strict;
use warnings FATAL => 'all';

use IotData::Blackhole;
use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $emulator = IotData::Emulator->start;
my $lamp     = IotData::Client->start($emulator, 'lamp');
my $node     = IotData::Node->make('statistics', endpoint => $emulator->url, conf => "shared_preload_libraries = 'iotdata'\niotdata.read_rate = 0\n");
my $session  = $node->session;
my $other    = $node->session;

# ---- the memory ---------------------------------------------------------------------------------

gives($session, 'SHOW iotdata.cache_size', '16MB', 'when preloaded, the cache has 16 MB unless told otherwise');
fails_with($session, q{SET iotdata.cache_size = '32MB'}, '55P02', {}, 'cache_size cannot be changed while the server runs');
gives($session, q{SELECT allocated_size / 1048576 BETWEEN 16 AND 17 FROM pg_shmem_allocations WHERE name = 'iotdata'}, 't', 'pg_shmem_allocations shows the cache, and little besides');
gives($session, 'SELECT iotdata.cache_reset()', '', 'cache_reset succeeds when nothing is cached');

# ---- who may see them ---------------------------------------------------------------------------

$session->query('CREATE ROLE alice LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher');
my $alice   = $node->session(user => 'alice');
my $watcher = $node->session(user => 'watcher');

fails_with($alice, $_, '42501', {}, "a role without privileges may not run $_")
  for 'SELECT * FROM iotdata.stat_calls', 'SELECT * FROM iotdata.stat_calls()', 'SELECT * FROM iotdata.stat_cache', 'SELECT * FROM iotdata.stat_cache()', 'SELECT iotdata.stat_reset()', 'SELECT iotdata.cache_reset()';
gives($watcher, 'SELECT count(*) FROM iotdata.stat_calls', '0', 'a member of pg_monitor can read stat_calls');
gives($watcher, 'SELECT count(*) FROM iotdata.stat_cache', '1', 'a member of pg_monitor can read stat_cache');
fails_with($watcher, $_, '42501', {}, "a member of pg_monitor may not run $_")
  for 'SELECT iotdata.stat_reset()', 'SELECT iotdata.cache_reset()', q{SELECT iotdata.get_connection('lamp')};
$session->query('GRANT USAGE ON SCHEMA iotdata TO alice; GRANT EXECUTE ON FUNCTION iotdata.stat_reset() TO alice');
gives($alice, 'SELECT iotdata.stat_reset()', '', 'stat_reset can be granted');

# ---- what they say ------------------------------------------------------------------------------

# stat(COLUMNS, OPERATION): of the only target, as another session sees it
sub stat_of
{
	my ($columns, $operation) = @_;

	return $other->query("SELECT $columns FROM iotdata.stat_calls WHERE operation = '$operation'");
}

my $get = 'SELECT (iotdata.get_connection(%s)).connected';
$session->query(sprintf $get, q{'lamp'}) for 1 .. 3;
$session->query(sprintf $get, q{'nobody'});
is(stat_of('target', 'GetConnection'), $emulator->url =~ s{\Ahttp://}{}r, 'calls are counted for their target');
is(stat_of('calls, attempts, retries, throttled', 'GetConnection'), '4|4|0|0', 'a call is counted once, also one that meets 404');
is(stat_of('errors_client + errors_throttled + errors_server + errors_unreachable + errors_lost + errors_malformed + errors_cancelled', 'GetConnection'),
	'0', 'a call that meets 404 is no error');
is(stat_of('connections_opened', 'GetConnection'), '1', 'a connection that serves several calls is counted once');
is(stat_of('bytes_sent > 4 * 200, bytes_received > 4 * 50', 'GetConnection'), 't|t', 'the bytes that are sent and received are counted');
is(stat_of('total_time > 0 AND mean_time * 4 BETWEEN total_time * 0.999 AND total_time * 1.001 AND max_time BETWEEN mean_time AND total_time', 'GetConnection'),
	't', 'total, mean and longest time agree');
is(stat_of('array_length(latency_histogram, 1), (SELECT sum(n) FROM unnest(latency_histogram) n)', 'GetConnection'), '16|4', 'the histogram has every call');
is(stat_of(q{stats_since BETWEEN now() - interval '1 hour' AND now()}, 'GetConnection'), 't', 'stats_since is when the first call was counted');

$session->query('SELECT count(*) FROM iotdata.list_subscriptions($$lamp$$)');
is(stat_of('calls, errors_client', 'ListSubscriptions'), '1|0', 'each operation is counted by itself');
$session->try(q{SELECT iotdata.send_direct_message('nobody', 'a/b', 'x'::text)}) for 1 .. 2;
is(stat_of('calls, attempts, errors_client', 'SendDirectMessage'), '2|2|2', 'a message to a client that is not there is an error of the client\'s');

# ---- each kind of error -------------------------------------------------------------------------

my $server = IotData::FaultyServer->start(
	answers => {
		good      => json_answer({ connected => JSON::PP::true }),
		again     => [ [ http_answer(503, '') ], [ json_answer({ connected => JSON::PP::true }) ] ],
		refused   => http_answer(403, ''),
		throttled => http_answer(429, ''),
		broken    => http_answer(500, ''),
		lost      => [ [ ['close'] ] ],
		malformed => [ [ "SSH-2.0-OpenSSH_9.2\r\n", ['close'] ] ] });

# counts(WHAT, URL, CLIENT, SETTINGS, EXPECTED): columns of the target after one call
sub counts
{
	my ($what, $url, $client, $settings, $columns, $expected) = @_;
	my $mine = $node->session;
	my ($authority) = $url =~ m{\Ahttp://(.*)\z};

	$mine->query("SET iotdata.endpoint_url = '$url'; $settings");
	$mine->query('SELECT iotdata.stat_reset()');
	$mine->try(sprintf $get, "'$client'");
	is($other->query("SELECT calls, $columns FROM iotdata.stat_calls WHERE target = '$authority'"), $expected, $what);
	$mine->quit;
	return;
}

my $blackhole = IotData::Blackhole->start;
my $once      = 'SET iotdata.max_attempts = 1';
counts('a good answer is counted as one call and one attempt', $server->url, 'good',      '',    'attempts, retries, errors_server', '1|1|0|0');
counts('a call that succeeds at the second attempt is counted with its retry', $server->url, 'again', 'SET iotdata.max_attempts = 3',    'attempts, retries, errors_server', '1|2|1|0');
counts('a 403 is counted as an error of the client\'s', $server->url, 'refused',   '',    'attempts, errors_client',         '1|1|1');
counts('a 429 is counted as throttled', $server->url, 'throttled', $once, 'throttled, errors_throttled',      '1|1|1');
counts('a 500 is counted as an error of the server\'s', $server->url, 'broken',    $once, 'attempts, errors_server',          '1|1|1');
counts('a lost connection is counted as such', $server->url, 'lost',      $once, 'attempts, errors_lost',            '1|1|1');
counts('an answer that is not HTTP is counted as malformed', $server->url, 'malformed', $once, 'errors_malformed', '1|1');
counts('an endpoint that cannot be reached is counted as such', $blackhole->url, 'lamp', qq{SET iotdata.connect_timeout = '100ms'; $once},
	'errors_unreachable, connections_opened', '1|1|0');

# ---- reset --------------------------------------------------------------------------------------

$session->query(sprintf $get, q{'lamp'});
$session->query('SELECT iotdata.stat_reset()');
gives($other, 'SELECT count(*) FROM iotdata.stat_calls', '0', 'stat_reset resets what all sessions have counted');
$session->query(sprintf $get, q{'lamp'});
is(stat_of('calls', 'GetConnection'), '1', 'calls are counted after stat_reset');
gives($other, 'SELECT iotdata.cache_reset()', '', 'cache_reset succeeds when answers are cached');

$_->quit for $session, $other, $alice, $watcher;

# ---- not preloaded ------------------------------------------------------------------------------

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart_with({});
($session, $other) = map { $node->session } 1 .. 2;
$session->query(sprintf $get, q{'lamp'}) for 1 .. 2;
gives($session, 'SELECT calls FROM iotdata.stat_calls', '2',  'without preloading a session sees its own calls');
gives($other,   'SELECT count(*) FROM iotdata.stat_calls',  '0', 'without preloading a session sees no calls of others');
gives($session, 'SELECT iotdata.stat_reset()', '', 'without preloading stat_reset succeeds');
gives($session, 'SELECT count(*) FROM iotdata.stat_calls', '0', 'without preloading stat_reset resets what the session has counted');
gives($session, 'SELECT iotdata.cache_reset()',     '',  'without preloading cache_reset succeeds');
fails_with($session, 'SHOW iotdata.cache_size', '42704', {}, 'without preloading there is no iotdata.cache_size');

no_crash($node);
done_testing();
