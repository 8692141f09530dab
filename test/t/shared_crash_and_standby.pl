# What sessions share comes back empty after a backend has crashed, and a standby reads as a
# primary does.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $server = IotData::FaultyServer->start(
	answers => {
		(map { ($_ => json_answer({ connected => JSON::PP::true, clientId => $_ })) } qw(a b good)),
		never => [ [ ['hold'] ] ],
	});
my $node = IotData::Node->make(
	'primary',
	endpoint => $server->url,
	init     => { allows_streaming => 1 },
	conf     => "shared_preload_libraries = 'iotdata'\nrestart_after_crash = on\niotdata.read_rate = 100\n");
my $session = $node->session;
my $join = q{SELECT string_agg(c.client_id, ' ' ORDER BY c.client_id) FROM unnest(ARRAY['a', 'b']) id, iotdata.get_connection(id, max_age => '1 hour') c};

sub asked { return scalar($server->requests($_[0])) }

# ---- a standby --------------------------------------------------------------------------------

gives($session, $join, 'a b', 'a join on the primary has its rows');
$node->backup('copy');
my $standby = IotData::Node->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my $reader = $standby->session;
gives($reader, 'SELECT pg_is_in_recovery()', 't', 'the standby is in recovery');
gives($reader, $join, 'a b', 'a join on a standby has its rows');
gives($reader, $join, 'a b', 'a join on a standby has its rows again');
is(asked('a'), 2, 'a standby has a cache of its own');
gives($reader, 'SELECT calls, cache_hits FROM iotdata.stat_calls', '2|2', 'a standby has statistics of its own');
$standby->stop;

# ---- a crash ----------------------------------------------------------------------------------

my $victim = $node->session;
$victim->begin(q{SELECT * FROM unnest(ARRAY['a', 'never']) id, iotdata.get_connection(id, max_age => '1 ms') c});
$server->wait_for_request('never');
kill 'KILL', $victim->pid;
ok($victim->finish->{ended}, 'a session ends when its process is killed in the middle of a call');
ok(eventually(sub { $node->log_text =~ /was terminated by signal 9.*ready to accept connections/s }), 'the server comes up again after a crash');
my $after = $node->session;
gives($after, 'SELECT count(*) FROM iotdata.stat_calls', '0', 'after a crash statistics begin anew');
my $before = asked('a');
gives($after, $join, 'a b', 'after a crash a join has its rows');
is(asked('a'), $before + 1, 'after a crash nothing is cached');
gives($after, $join, 'a b', 'after a crash a join has its rows again');
is(asked('a'), $before + 1, 'after a crash answers are cached again');
is(scalar(() = $node->log_text =~ /was terminated by signal/g), 1, 'no process crashed but the one that was killed');

done_testing();
