
# A join whose devices come again asks for each of them once, also when it has more of them than
# work_mem holds.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer not_found);
use IotData::Node;
use JSON::PP;
use Test::More;

my $connected = json_answer({ connected => JSON::PP::true });
my $server    = IotData::FaultyServer->start(
	otherwise => $connected,
	answers   => { 'device-7' => not_found() });

# The join, with more arguments perhaps.
sub join_with { return "SELECT count(*), count(c.connected) FROM sighting s LEFT JOIN LATERAL iotdata.get_connection(s.client_id$_[0]) c ON true" }

my $join = join_with('');

sub prepare
{
	my ($name, $conf) = @_;
	my $node = IotData::Node->make($name, endpoint => $server->url, conf => $conf);

	# in turn: a device comes again when all others have been
	$node->safe_psql('postgres', <<'SQL');
CREATE TABLE sighting AS SELECT i AS id, 'device-' || i % 400 AS client_id FROM generate_series(1, 1200) i;
ANALYZE;
SQL
	return $node;
}

# The requests that a statement makes.
sub calls_of
{
	my ($session, $sql, $rows, $name) = @_;
	my $before = $server->requests;

	gives($session, $sql, $rows, $name);
	return $server->requests - $before;
}

for my $mode ([ 'together', "shared_preload_libraries = 'iotdata'\n", 'preloaded' ], [ 'apart', '', 'not preloaded' ])
{
	my ($name, $conf, $how) = @$mode;
	my $node    = prepare($name, $conf);
	my $session = $node->session;

	$session->query(q{SET work_mem = '64kB'});
	is(calls_of($session, $join, '1200|1197', "a join of 400 devices in turn has its rows ($how)"), 400, "each of 400 devices is asked about once, though work_mem holds few of them ($how)");
	is(calls_of($session, $join, '1200|1197', "the same join has its rows again ($how)"), 400, "what was observed before the join began is not used ($how)");
	my ($plan) = $session->query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $join");
	like($plan, qr/Calls: 400\b/, "EXPLAIN says that there were 400 calls ($how)");
	my ($hits, $duplicates) = ($plan =~ /Cache Hits: (\d+)\s+Duplicates: (\d+)/);
	is($hits + $duplicates, 800, "and that the other rows were served without a call ($how)");
	cmp_ok($hits, '>', 0, "some of them from the cache ($how)");

	is(calls_of($session, "DO 'BEGIN PERFORM * FROM ($join) j; PERFORM * FROM ($join) j; END'", '', "a block runs the join twice ($how)"), 800, "the second one uses nothing of the first ($how)");
	is(calls_of($session, join_with(q{, max_age => '1 hour'}), '1200|1197', "a join with a max_age has its rows ($how)"), 0, "it uses what joins without one have observed ($how)");
	no_crash($node);
}
done_testing();
