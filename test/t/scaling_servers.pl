# More than one server: tables on shards behind postgres_fdw, where each shard can ask by itself; a
# standby; and a server connection that a pooler hands from one client to the next.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::Node;
use Test::More;

my $preloaded = "shared_preload_libraries = 'iotdata'\n";
my $emulator  = IotData::Emulator->start;
my @clients   = map { IotData::Client->start($emulator, "d$_") } 1, 2;
my @shards    = map { IotData::Node->make("shard$_", endpoint => $emulator->url, conf => $preloaded) } 1, 2;
my $top       = IotData::Node->make('top', endpoint => $emulator->url, conf => $preloaded, init => { allows_streaming => 1 });
my $session   = $top->session;
my $devices   = 200;

# ---- shards -------------------------------------------------------------------------------------

$_->safe_psql(
	'postgres', q{
	CREATE TABLE device (client_id text PRIMARY KEY);
	CREATE VIEW device_now AS
		SELECT d.client_id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true;
}) for @shards;

sub foreign_tables
{
	my ($number) = @_;
	my $shard    = $shards[ $number - 1 ];
	my $address  = sprintf q{host '%s', port '%d', dbname 'postgres'}, $shard->host, $shard->port;
	my $rest     = $number - 1;

	return "CREATE SERVER shard_$number FOREIGN DATA WRAPPER postgres_fdw OPTIONS ($address, async_capable 'true');"
	  . "CREATE USER MAPPING FOR CURRENT_USER SERVER shard_$number;"
	  . "CREATE FOREIGN TABLE device_$number PARTITION OF device FOR VALUES WITH (MODULUS 2, REMAINDER $rest)"
	  . " SERVER shard_$number OPTIONS (table_name 'device');"
	  . "CREATE FOREIGN TABLE device_now_$number (client_id text, connected boolean)"
	  . " SERVER shard_$number OPTIONS (table_name 'device_now');";
}

$session->query('CREATE EXTENSION postgres_fdw; CREATE TABLE device (client_id text) PARTITION BY HASH (client_id);'
	  . foreign_tables(1)
	  . foreign_tables(2)
	  . 'CREATE VIEW device_now AS SELECT * FROM device_now_1 UNION ALL SELECT * FROM device_now_2;'
	  . "INSERT INTO device SELECT 'd' || i FROM generate_series(1, $devices) i");
my $of_first = $shards[0]->safe_psql('postgres', 'SELECT count(*) FROM device');
cmp_ok($of_first, '>', 0,        'one shard has devices');
cmp_ok($of_first, '<', $devices, 'the other one has devices');

# How many calls the top and the shards have made since this was asked last.
sub calls
{
	return join ' ',
	  map { $_->safe_psql('postgres', 'SELECT coalesce(sum(calls), 0) FROM iotdata.stat_calls; SELECT FROM iotdata.stat_reset()') } $top,
	  @shards;
}

my $columns = q{count(*), count(DISTINCT client_id), string_agg(client_id, ' ' ORDER BY client_id) FILTER (WHERE connected)};
my $expected = "$devices|$devices|d1 d2";

gives($session, "SELECT $columns FROM (SELECT d.client_id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true) x",
	$expected, 'a join over partitions on shards has its rows');
is(calls(), "$devices 0 0", 'the server above asks for a join over partitions, each device once');
like(
	$session->query('EXPLAIN SELECT FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true'),
	qr/IoT Batched Lookup.*Async Foreign Scan.*Async Foreign Scan/s,
	'a batched join reads its shards asynchronously');

gives($session, "SELECT $columns FROM device_now", $expected, 'views on the shards together have all rows');
is(calls(), join(' ', 0, $of_first, $devices - $of_first), 'each shard asks by itself for its own devices, each once');

gives($session, q{SELECT client_id, connected FROM device_now WHERE client_id = 'd2'}, 'd2|t', 'one device has its row');
like(calls(), qr/\A0 (?:0 1|1 0)\z/, 'a condition on a view is checked on the shard, before it asks');

$session->query("ALTER SERVER shard_$_ OPTIONS (ADD fetch_size '5')") for 1, 2;
gives($session, 'SELECT count(*) FROM (SELECT * FROM device_now LIMIT 5) x', '5', 'a LIMIT over views has its rows');
my $limited = 0;
$limited += $_ for split / /, calls();
cmp_ok($limited, '<=', 2 * 8, 'a LIMIT over views asks for a batch of each shard when the fetch size is small');

# ---- a standby ----------------------------------------------------------------------------------

$top->backup('copy');
my $standby = IotData::Node->new('standby');
$standby->init_from_backup($top, 'copy', has_streaming => 1);
$standby->start;
$top->wait_for_catchup($standby);
my $reader = $standby->session;
gives($reader, 'SELECT pg_is_in_recovery()', 't', 'the standby is in recovery');
gives($reader, q{SELECT c.connected FROM unnest(ARRAY['d1', 'd2']) id, iotdata.get_connection(id) c}, "t\nt", 'a standby reads');
my $requests = $emulator->requests;
fails_with($reader, $_, '25006', { message => qr/read-only transaction/ }, "a standby refuses: $_")
  for q{SELECT iotdata.send_direct_message('d1', 'a')}, q{SELECT iotdata.delete_connection('d1')},
  q{SELECT iotdata.queue_direct_message('d1', 'a')}, q{CALL iotdata.process_outbox()};
is($emulator->requests, $requests, 'what a standby refuses is not sent');
$standby->stop;

# ---- a connection that is handed on -------------------------------------------------------------

my $other = IotData::Emulator->start;
my $ask   = q{SELECT FROM iotdata.get_connection('d1')};

$session->query('BEGIN; SET LOCAL iotdata.endpoint_url = ' . "'" . $other->url . "'; $ask; COMMIT");
is($other->requests, 1, 'SET LOCAL holds for the calls of its transaction');
my $before = $emulator->requests;
$session->query($ask);
is($other->requests,    1,           'SET LOCAL does not hold after its transaction');
is($emulator->requests, $before + 1, 'the next transaction has the settings of before');

no_crash($_) for $top, @shards;
done_testing();
