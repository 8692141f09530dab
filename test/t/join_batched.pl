# Joins with reading functions ask about many rows at once: what a user sees of that.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $connected = json_answer({ connected => JSON::PP::true });
my $server    = IotData::FaultyServer->start(
	otherwise => $connected,
	answers   => {
		offline    => json_answer({ connected => JSON::PP::false }),
		nobody     => http_answer(404, '', 'x-amzn-ErrorType' => 'ResourceNotFoundException'),
		refused    => http_answer(403, '', 'x-amzn-ErrorType' => 'ForbiddenException'),
		late_error => [ [ [ 'wait', 0.3 ], http_answer(400, '', 'x-amzn-ErrorType' => 'InvalidRequestException') ] ],
		late       => [ [ [ 'wait', 0.3 ], $connected ] ],
		'late-2'   => [ [ [ 'wait', 0.3 ], $connected ] ],
		unsteady   => [ http_answer(503, '', 'x-amzn-ErrorType' => 'ServiceUnavailableException'), $connected ],
		list       => json_answer({ subscriptions => [ map { { topicFilter => "t/$_", qos => $_ % 2 } } 1 .. 3 ] }),
	});
my $node = IotData::Node->make('joins', endpoint => $server->url, conf => "iotdata.max_attempts = 3\n");
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE device (id integer PRIMARY KEY, client_id text, n integer);
INSERT INTO device SELECT i, 'device-' || i, i * 7919 % 1000 FROM generate_series(1, 1000) i;
CREATE TABLE again (id integer, client_id text);
INSERT INTO again SELECT i, CASE WHEN i % 11 < 10 THEN 'again-' || i % 11 END FROM generate_series(1, 110) i;
ANALYZE;
SQL

sub get { return "LATERAL iotdata.get_connection($_[0]) c" }
my $join = 'SELECT d.id, c.connected FROM device d LEFT JOIN ' . get('d.client_id') . ' ON true';
my $node_name = qr/Custom Scan \(IoT Batched Lookup\)/;

# ---- it is there --------------------------------------------------------------------------------

is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'the test runs without preloading');
like($node->safe_psql('postgres', "EXPLAIN $join"), $node_name, 'a join is batched in the first statement of a session');
is($node->safe_psql('postgres', "SELECT count(*), count(s.connected) FROM ($join LIMIT 7) s"), '7|7', 'a batched join has its rows in the first statement of a session');

my $session = $node->session;
sub calls { return scalar $server->requests }

# The requests that a statement makes.
sub calls_of
{
	my ($sql) = @_;
	my $before = calls();

	$session->query($sql);
	return calls() - $before;
}

sub explained { return $session->query("EXPLAIN (COSTS OFF) $_[0]") }

# ---- no call too many ---------------------------------------------------------------------------

is(calls_of('SELECT a.id, c.connected FROM again a JOIN ' . get('a.client_id') . ' ON true'), 10, 'equal arguments make one call, and NULL none');
is(calls_of('SELECT count(*) FROM device d JOIN again a ON a.id = d.id JOIN ' . get('a.client_id') . ' ON d.id < 5'), 4, 'a condition on the outer row is checked before the call');
is(calls_of("SELECT count(*) FROM device d LEFT JOIN " . get('d.client_id') . ' ON d.id % 100 = 0'), 10, 'a condition on the outer row in a left join\'s ON clause is checked before the call');

for my $limited (
	[ "$join LIMIT 5", 5, 'a LIMIT' ],
	[ "$join ORDER BY d.n LIMIT 5", 5, 'a LIMIT with an ORDER BY that has no index' ],
	[ "$join ORDER BY d.id OFFSET 2 LIMIT 3", 5, 'a LIMIT with OFFSET in the order of an index' ],
	[ "$join WHERE c.connected LIMIT 5", 5, 'a LIMIT with a condition on the answer' ],
	[ "SELECT EXISTS (SELECT FROM device d, " . get('d.client_id') . ' WHERE c.connected)', 1, 'an EXISTS' ],
	[ 'SELECT (SELECT c.connected FROM device d, ' . get('d.client_id') . ' ORDER BY d.id LIMIT 1)', 1, 'a scalar sub-select with LIMIT 1' ],
	[ "BEGIN; DECLARE c CURSOR FOR $join; FETCH 3 FROM c; COMMIT", 8, 'a cursor' ],
	[ "PREPARE few AS $join LIMIT \$1; SET plan_cache_mode = force_generic_plan; EXECUTE few(4); RESET plan_cache_mode", 8, 'a LIMIT by a parameter' ])
{
	my ($sql, $most, $name) = @$limited;

	cmp_ok(calls_of($sql), '<=', $most, "$name makes at most $most call" . ($most == 1 ? '' : 's'));
}
is(calls_of('UPDATE device SET client_id = $$offline$$ WHERE id < 40'), 0, 'an UPDATE of the outer table makes no call');
my $calls = calls_of("$join WHERE c.connected ORDER BY d.id LIMIT 2");
cmp_ok($calls, '<=', 100, 'a LIMIT that needs more rows than expected makes not many more calls than it needs') or diag("$calls calls");

# ---- many at once -------------------------------------------------------------------------------

for my $batched ('on', 'off')
{
	my $slow = IotData::Emulator->start(arguments => [qw(--delay 250)]);
	$session->query("SET iotdata.endpoint_url = '" . $slow->url . "'; SET iotdata.max_concurrency = 16; SET iotdata.batch_joins = $batched");
	is($session->query("SELECT count(*) FROM ($join WHERE d.id BETWEEN 101 AND 148) s"), 48, 'a join of 48 devices has its rows with batch_joins = on') if $batched eq 'on';
	is($session->query("SELECT count(*) FROM ($join WHERE d.id BETWEEN 101 AND 104) s"), 4, 'a join of 4 devices has its rows with batch_joins = off') if $batched eq 'off';
	$slow->stop;
	my ($most) = $slow->log_text =~ /^http summary .*\bmost-at-once=(\d+)/m;
	is($most, $batched eq 'on' ? 16 : 1, $batched eq 'on' ? 'as many calls are in flight as max_concurrency allows' : 'without batches one call is in flight');
	$session->query('RESET iotdata.endpoint_url; RESET iotdata.max_concurrency; RESET iotdata.batch_joins');
}

# ---- in the outer order -------------------------------------------------------------------------

$session->query(q{CREATE TABLE mixed (id integer, client_id text); INSERT INTO mixed VALUES
	(1, 'late'), (2, 'nobody'), (3, 'offline'), (4, 'a'), (5, NULL), (6, 'late_error'), (7, 'refused'), (8, 'b')});
my $mixed = 'SELECT m.id, c.connected FROM mixed m LEFT JOIN ' . get('m.client_id') . ' ON true';
gives($session, "$mixed WHERE m.id < 6", "1|t\n2|NULL\n3|f\n4|t\n5|NULL", 'rows come in the outer order, whenever their answers did');
fails_with($session, $mixed, 'IO400', { context => qr/GetConnection.*late_error/s }, 'of two errors that of the first row is raised, though the second came first');
gives($session, "$mixed LIMIT 5", "1|t\n2|NULL\n3|f\n4|t\n5|NULL", 'an error that a LIMIT does not reach is not raised');
$session->query("BEGIN; DECLARE c CURSOR FOR $mixed");
gives($session, 'FETCH 5 FROM c', "1|t\n2|NULL\n3|f\n4|t\n5|NULL", 'an error that a cursor does not reach is not raised');
fails_with($session, 'FETCH 1 FROM c', 'IO400', {}, 'an error that a cursor reaches is raised');
$session->query('ROLLBACK');
gives($session, q{SELECT m.id, s.topic_filter FROM (VALUES (1, 'list'), (2, 'nobody'), (3, 'list')) m(id, x) LEFT JOIN LATERAL iotdata.list_subscriptions(m.x) s ON s.qos = 1},
	"1|t/1\n1|t/3\n2|NULL\n3|t/1\n3|t/3", 'each row has its set, in its order');
$session->query(q{SET work_mem = '64kB'});
gives($session, q{SELECT count(*), bool_and(id = place) FROM (SELECT id, row_number() OVER () AS place FROM (SELECT d.id, d.wide, c.connected FROM (SELECT id, client_id, repeat(id::text, 2000) AS wide FROM device ORDER BY id OFFSET 0) d LEFT JOIN }
	  . get('d.client_id') . ' ON true OFFSET 0) s) t', '1000|t', 'rows that are more than work_mem holds come in their order');
$session->query('RESET work_mem');

# ---- sub-selects --------------------------------------------------------------------------------

# the row that the WHERE mentions may have been made NULL by another join
my $protected = q{SELECT a.id, d.id, y.x FROM (again a LEFT JOIN device d ON d.id = a.id + 998) LEFT JOIN LATERAL
	(SELECT coalesce(100 / (s.qos - coalesce(d.id, 4) % 2), 0) AS x FROM iotdata.list_subscriptions(left('list' || d.id, 4)) s WHERE s.qos <> coalesce(d.id, 4) % 2) y ON true WHERE a.id < 4 ORDER BY a.id};
like(explained($protected), $node_name, 'a sub-select over a row that may be NULL is batched');
gives($session, $protected, "1|999|-100\n2|1000|100\n2|1000|100\n3|NULL|NULL", 'the WHERE of a sub-select protects its expressions, whichever joins are before it');

# ---- what is never batched ----------------------------------------------------------------------

my $message = q{SELECT d.id, m.message FROM device d, LATERAL iotdata.send_direct_message(d.client_id, 'a/b', 'x'::text) m};
unlike(explained($message), $node_name, 'sending is never batched');
unlike(explained('SELECT d.id FROM device d, LATERAL iotdata.delete_connection(d.client_id) m'), $node_name, 'deleting is never batched');
is(calls_of("$message LIMIT 2"), 2, 'a LIMIT sends no message too many');
unlike(explained($join =~ s/d\.client_id/'x'/r), $node_name, 'a call with the same arguments for all rows is not batched');
$session->query('SET iotdata.batch_joins = off');
unlike(explained($join), $node_name, 'nothing is batched with batch_joins = off');
$session->query('RESET iotdata.batch_joins');

# ---- privileges ---------------------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE ROLE app; GRANT USAGE ON SCHEMA iotdata TO app; GRANT SELECT ON device, mixed TO app');
$session->query('SET ROLE app');
for my $batched ('on', 'off')
{
	$session->query("SET iotdata.batch_joins = $batched");
	my $before = calls();
	for my $sql ($join, "EXPLAIN $join", "$join WHERE d.id < 0")
	{
		fails_with($session, $sql, '42501', { message => qr/get_connection/ }, "a role that may not call a function may not join with it (batch_joins = $batched)");
	}
	is(calls(), $before, "a role that may not call a function makes no call (batch_joins = $batched)");
}
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION iotdata.get_connection TO app');
$session->query('SET iotdata.batch_joins = on');
gives($session, "$mixed LIMIT 1", '1|t', 'a role that may call a function may join with it');
$session->query('RESET ROLE');

# ---- EXPLAIN ------------------------------------------------------------------------------------

# The node of a plan, run with ANALYZE.
sub analyzed
{
	my ($sql) = @_;
	my @nodes = decode_json($session->query("EXPLAIN (ANALYZE, FORMAT json) $sql"))->[0]{Plan};

	while (my $one = shift @nodes)
	{
		return $one if ($one->{'Custom Plan Provider'} // '') eq 'IoT Batched Lookup';
		push @nodes, @{ $one->{Plans} // [] };
	}
	return {};
}

my $again = 'SELECT * FROM again a LEFT JOIN ' . get('a.client_id') . ' ON c.connected AND a.id > 11';
my $plan  = analyzed($again);
is_deeply([ @$plan{ 'Actual Rows', 'Calls', 'Cache Hits', 'Duplicates', 'Retries', 'Rows Removed by Join Filter' } ],
	[ 110, 10, 0, 80, 0, 9 ], 'EXPLAIN ANALYZE has the counts') or diag(explain($plan));
is($plan->{'Join Type'}, 'Left', 'EXPLAIN has the kind of join');
like($plan->{Function}, qr/\Aiotdata\.get_connection\(a\.client_id, false, NULL::interval, NULL::name\)\z/, 'EXPLAIN has the function with its arguments');
like($plan->{'Lookup Cond'}, qr/a\.id > 11/, 'EXPLAIN has the condition for a call');
is(analyzed(q{SELECT * FROM (VALUES ('unsteady'), ('c')) v(x), } . get('v.x'))->{Retries}, 1, 'EXPLAIN ANALYZE counts retries');
my $aged = 'SELECT * FROM again a JOIN LATERAL iotdata.get_connection(a.client_id, max_age => $$1 hour$$) c ON true';
analyzed($aged);
$plan = analyzed($aged);
is_deeply([ @$plan{ 'Calls', 'Cache Hits' } ], [ 0, 10 ], 'EXPLAIN ANALYZE counts cache hits, which are no calls') or diag(explain($plan));
for my $format (qw(text xml yaml))
{
	like($session->query("EXPLAIN (ANALYZE, FORMAT $format) $again"), qr/Duplicates\W+80\b/, "EXPLAIN has its counts in the format $format");
}

# ---- cursors whose row is changed ---------------------------------------------------------------

$session->query("BEGIN; DECLARE c CURSOR FOR $join WHERE d.id = 7 FOR UPDATE OF d; FETCH 1 FROM c");
gives($session, 'UPDATE device SET n = -1 WHERE CURRENT OF c RETURNING id', '7', 'the current row of a cursor FOR UPDATE can be changed');
$session->query("ROLLBACK; BEGIN; DECLARE c CURSOR FOR $join WHERE d.id = 7; FETCH 1 FROM c");
fails_with($session, 'UPDATE device SET n = -1 WHERE CURRENT OF c', '24000', {}, 'the current row of another cursor over a join cannot be changed');
$session->query('ROLLBACK');

# ---- what is slow -------------------------------------------------------------------------------

$session->query(q{SET iotdata.request_timeout = '1s'; BEGIN; DECLARE c CURSOR FOR SELECT v.id, c.connected FROM (VALUES (1, 'x'), (2, 'late'), (3, 'y')) v(id, x), } . get('v.x'));
gives($session, 'FETCH 1 FROM c', '1|t', 'a cursor has its first row');
$session->query('SELECT pg_sleep(1.5)');
gives($session, 'FETCH ALL FROM c', "2|t\n3|t", 'a cursor that rests for longer than request_timeout goes on');
$session->query('COMMIT; RESET iotdata.request_timeout');

# The sub-select is left at its second row, with as many calls under way as there may be.
$session->query(q{SET iotdata.max_concurrency = 2; CREATE TABLE rest AS SELECT * FROM (VALUES (1, 'x'), (2, 'x'), (3, 'late'), (4, 'late-2')) v(id, client_id)});
gives($session, 'SELECT v.id FROM (VALUES (1), (2), (3)) v(id) WHERE 2 = ANY (SELECT r.id FROM rest r LEFT JOIN ' . get('r.client_id') . ' ON true WHERE r.id < 10 + v.id)',
	"1\n2\n3", 'a scan can begin while calls of the one before are under way');
$session->query('RESET iotdata.max_concurrency');

no_crash($node);
done_testing();
