# Several servers, which know nothing of each other, under one quota: each finds its share by the
# 429s that it gets. What is measured of it is in test/bench/run.sh and test/unit/shared_quota_test.c;
# here it is that every row comes, and no error.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::Node;
use Test::More;

my $preloaded = "shared_preload_libraries = 'iotdata'\niotdata.max_attempts = 3\niotdata.read_rate = 100\n";
my $emulator  = IotData::Emulator->start(arguments => [qw(--read-rate 100 --client-read-rate 1)]);
my @nodes     = map { IotData::Node->make("server$_", endpoint => $emulator->url, conf => $preloaded) } 1 .. 5;

sub ask
{
	my ($prefix, $count) = @_;

	return "SELECT count(*), min(error_code || ' ' || error_message) FROM iotdata.get_connections(ARRAY(SELECT '$prefix' || i FROM generate_series(1, $count) i))";
}

my @sessions = map { $_->session } @nodes;
$sessions[$_]->begin(ask("s$_-", 250)) for 0 .. $#sessions;
is($_->finish->{out}, '250|NULL', 'of five servers that begin at the same moment each has all its answers, and no error') for @sessions;
cmp_ok(scalar(() = $emulator->log_text =~ / 429 /g), '>', 0, 'servers that share a quota are throttled');

$nodes[0]->safe_psql('postgres', 'ALTER SYSTEM SET iotdata.read_rate = 1000; SELECT pg_reload_conf()');
my $greedy = $nodes[0]->session;
gives($greedy, 'SHOW iotdata.read_rate', '1000', 'a rate can be ten times the quota');
gives($greedy, ask('g', 500), '500|NULL', 'a server whose rate is ten times the quota has all its answers');

$greedy->query('SET iotdata.max_attempts = 1');
isnt($greedy->query(ask('h', 300)), '300|NULL', 'with one attempt, a call that is throttled is an error');

no_crash($_) for @nodes;
done_testing();
