# Joins with reading functions ask about many rows at once: what a user sees of that, and that
# nothing is left behind however they end.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $connected = json_answer({ connected => JSON::PP::true });
my $hold      = [ [ ['hold'] ] ];
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
		hold       => $hold,
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

is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'nothing is preloaded');
like($node->safe_psql('postgres', "EXPLAIN $join"), $node_name, 'the first statement of a session is batched');
is($node->safe_psql('postgres', "SELECT count(*), count(s.connected) FROM ($join LIMIT 7) s"), '7|7', 'and runs');

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

is(calls_of('SELECT a.id, c.connected FROM again a JOIN ' . get('a.client_id') . ' ON true'), 10, 'equal arguments are asked for once, NULL is not asked for');
is(calls_of('SELECT count(*) FROM device d JOIN again a ON a.id = d.id JOIN ' . get('a.client_id') . ' ON d.id < 5'), 4, 'a condition on the outer row is checked before the call');
is(calls_of("SELECT count(*) FROM device d LEFT JOIN " . get('d.client_id') . ' ON d.id % 100 = 0'), 10, 'in the ON clause of a left join, too');

for my $limited (
	[ "$join LIMIT 5", 5, 'LIMIT' ],
	[ "$join ORDER BY d.n LIMIT 5", 5, 'LIMIT with an ORDER BY that has no index' ],
	[ "$join ORDER BY d.id OFFSET 2 LIMIT 3", 5, 'LIMIT with OFFSET, in the order of an index' ],
	[ "$join WHERE c.connected LIMIT 5", 5, 'LIMIT with a condition on the answer' ],
	[ "SELECT EXISTS (SELECT FROM device d, " . get('d.client_id') . ' WHERE c.connected)', 1, 'EXISTS' ],
	[ 'SELECT (SELECT c.connected FROM device d, ' . get('d.client_id') . ' ORDER BY d.id LIMIT 1)', 1, 'a scalar sub-select with LIMIT 1' ],
	[ "BEGIN; DECLARE c CURSOR FOR $join; FETCH 3 FROM c; COMMIT", 8, 'a cursor' ],
	[ "PREPARE few AS $join LIMIT \$1; SET plan_cache_mode = force_generic_plan; EXECUTE few(4); RESET plan_cache_mode", 8, 'LIMIT by a parameter' ])
{
	my ($sql, $most, $name) = @$limited;

	cmp_ok(calls_of($sql), '<=', $most, "$name asks for no more than $most devices");
}
is(calls_of('UPDATE device SET client_id = $$offline$$ WHERE id < 40'), 0, 'most of the first answers will not do now');
my $calls = calls_of("$join WHERE c.connected ORDER BY d.id LIMIT 2");
cmp_ok($calls, '<=', 100, 'the batches double: not many more than needed are asked about') or diag("$calls calls");

# ---- many at once -------------------------------------------------------------------------------

for my $batched ('on', 'off')
{
	my $slow = IotData::Emulator->start(arguments => [qw(--delay 250)]);
	$session->query("SET iotdata.endpoint_url = '" . $slow->url . "'; SET iotdata.max_concurrency = 16; SET iotdata.batch_joins = $batched");
	is($session->query("SELECT count(*) FROM ($join WHERE d.id BETWEEN 101 AND 148) s"), 48, "48 devices with batch_joins = $batched") if $batched eq 'on';
	is($session->query("SELECT count(*) FROM ($join WHERE d.id BETWEEN 101 AND 104) s"), 4, "4 devices with batch_joins = $batched") if $batched eq 'off';
	$slow->stop;
	my ($most) = $slow->log_text =~ /^http summary .*\bmost-at-once=(\d+)/m;
	is($most, $batched eq 'on' ? 16 : 1, 'as many calls are in flight as max_concurrency allows, and without batches one');
	$session->query('RESET iotdata.endpoint_url; RESET iotdata.max_concurrency; RESET iotdata.batch_joins');
}

# ---- in the outer order -------------------------------------------------------------------------

$session->query(q{CREATE TABLE mixed (id integer, client_id text); INSERT INTO mixed VALUES
	(1, 'late'), (2, 'nobody'), (3, 'offline'), (4, 'a'), (5, NULL), (6, 'late_error'), (7, 'refused'), (8, 'b')});
my $mixed = 'SELECT m.id, c.connected FROM mixed m LEFT JOIN ' . get('m.client_id') . ' ON true';
gives($session, "$mixed WHERE m.id < 6", "1|t\n2|NULL\n3|f\n4|t\n5|NULL", 'rows come in the outer order, whenever their answers did');
fails_with($session, $mixed, 'IO400', { context => qr/GetConnection.*late_error/s }, 'of two errors, the first row\'s is raised, though the second came first');
gives($session, "$mixed LIMIT 5", "1|t\n2|NULL\n3|f\n4|t\n5|NULL", 'an error that a LIMIT does not reach is none');
$session->query("BEGIN; DECLARE c CURSOR FOR $mixed");
gives($session, 'FETCH 5 FROM c', "1|t\n2|NULL\n3|f\n4|t\n5|NULL", 'nor one that a cursor does not reach');
fails_with($session, 'FETCH 1 FROM c', 'IO400', {}, 'until it does');
$session->query('ROLLBACK');
gives($session, q{SELECT m.id, s.topic_filter FROM (VALUES (1, 'list'), (2, 'nobody'), (3, 'list')) m(id, x) LEFT JOIN LATERAL iotdata.list_subscriptions(m.x) s ON s.qos = 1},
	"1|t/1\n1|t/3\n2|NULL\n3|t/1\n3|t/3", 'a set for each row, in its order');
$session->query(q{SET work_mem = '64kB'});
gives($session, q{SELECT count(*), bool_and(id = place) FROM (SELECT id, row_number() OVER () AS place FROM (SELECT d.id, d.wide, c.connected FROM (SELECT id, client_id, repeat(id::text, 2000) AS wide FROM device ORDER BY id OFFSET 0) d LEFT JOIN }
	  . get('d.client_id') . ' ON true OFFSET 0) s) t', '1000|t', 'rows that are more than work_mem holds');
$session->query('RESET work_mem');

# ---- what is never batched ----------------------------------------------------------------------

my $message = q{SELECT d.id, m.message FROM device d, LATERAL iotdata.send_direct_message(d.client_id, 'a/b', 'x'::text) m};
unlike(explained($message), $node_name, 'sending is never batched');
unlike(explained('SELECT d.id FROM device d, LATERAL iotdata.delete_connection(d.client_id) m'), $node_name, 'nor is deleting');
is(calls_of("$message LIMIT 2"), 2, 'and a LIMIT sends no message too many');
unlike(explained($join =~ s/d\.client_id/'x'/r), $node_name, 'one call for all rows needs no batch');
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
		fails_with($session, $sql, '42501', { message => qr/get_connection/ }, "batch_joins = $batched: who may not call the function may not join with it");
	}
	is(calls(), $before, 'and nothing is asked');
}
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION iotdata.get_connection TO app');
$session->query('SET iotdata.batch_joins = on');
gives($session, "$mixed LIMIT 1", '1|t', 'who may call it may join with it');
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
	[ 110, 10, 0, 80, 0, 9 ], 'the counts of EXPLAIN ANALYZE') or diag(explain($plan));
is($plan->{'Join Type'}, 'Left', 'the kind of join');
like($plan->{Function}, qr/\Aiotdata\.get_connection\(a\.client_id, false, NULL::interval\)\z/, 'the function with its arguments');
like($plan->{'Lookup Cond'}, qr/a\.id > 11/, 'what must hold for a row to be asked about');
is(analyzed(q{SELECT * FROM (VALUES ('unsteady'), ('c')) v(x), } . get('v.x'))->{Retries}, 1, 'retries are counted');
my $aged = 'SELECT * FROM again a JOIN LATERAL iotdata.get_connection(a.client_id, max_age => $$1 hour$$) c ON true';
analyzed($aged);
$plan = analyzed($aged);
is_deeply([ @$plan{ 'Calls', 'Cache Hits' } ], [ 0, 10 ], 'kept answers are counted, and are no calls') or diag(explain($plan));
for my $format (qw(text xml yaml))
{
	like($session->query("EXPLAIN (ANALYZE, FORMAT $format) $again"), qr/Duplicates\W+80\b/, "EXPLAIN in the format $format");
}

# ---- cursors whose row is changed ---------------------------------------------------------------

$session->query("BEGIN; DECLARE c CURSOR FOR $join WHERE d.id = 7 FOR UPDATE OF d; FETCH 1 FROM c");
gives($session, 'UPDATE device SET n = -1 WHERE CURRENT OF c RETURNING id', '7', 'the current row of a cursor FOR UPDATE can be changed');
$session->query("ROLLBACK; BEGIN; DECLARE c CURSOR FOR $join WHERE d.id = 7; FETCH 1 FROM c");
fails_with($session, 'UPDATE device SET n = -1 WHERE CURRENT OF c', '24000', {}, 'that of another cursor over a join cannot');
$session->query('ROLLBACK');

# ---- what is slow, and what is stopped ----------------------------------------------------------

$session->query(q{SET iotdata.request_timeout = '1s'; BEGIN; DECLARE c CURSOR FOR SELECT v.id, c.connected FROM (VALUES (1, 'x'), (2, 'late'), (3, 'y')) v(id, x), } . get('v.x'));
gives($session, 'FETCH 1 FROM c', '1|t', 'a cursor');
$session->query('SELECT pg_sleep(1.5)');
gives($session, 'FETCH ALL FROM c', "2|t\n3|t", 'that rests for longer than request_timeout goes on');
$session->query('COMMIT; RESET iotdata.request_timeout');

# The sub-select is left at its second row, with as many calls under way as there may be.
$session->query(q{SET iotdata.max_concurrency = 2; CREATE TABLE rest AS SELECT * FROM (VALUES (1, 'x'), (2, 'x'), (3, 'late'), (4, 'late-2')) v(id, client_id)});
gives($session, 'SELECT v.id FROM (VALUES (1), (2), (3)) v(id) WHERE 2 = ANY (SELECT r.id FROM rest r LEFT JOIN ' . get('r.client_id') . ' ON true WHERE r.id < 10 + v.id)',
	"1\n2\n3", 'a scan that begins while calls of the one before are under way');
$session->query('RESET iotdata.max_concurrency');

$session->query(q{CREATE TABLE held AS SELECT i AS id, CASE WHEN i < 4 THEN 'ok-' || i ELSE 'hold' END AS client_id FROM generate_series(1, 5) i});
my $held = 'SELECT h.id, c.connected FROM held h LEFT JOIN LATERAL iotdata.get_connection(h.client_id, h.id % 2 = 0) c ON true';

# Starts the join in a session, and returns when its calls are held.
sub begin_held
{
	my ($in) = @_;
	my $before = () = $server->requests('hold');

	$in->begin($held);
	eventually(sub { my $now = () = $server->requests('hold'); $now >= $before + 2 }) or die "the calls were not made\n";
	return $in;
}

my $other = $node->session;
begin_held($session);
$other->query('SELECT pg_cancel_backend(' . $session->pid . ')');
fails_with($session, $session->finish, '57014', { message => qr/user request/ }, 'a cancel in the middle');
gives($session, "$mixed LIMIT 1", '1|t', 'and the session goes on');
$session->query(q{SET statement_timeout = '500ms'});
fails_with($session, $held, '57014', { message => qr/statement timeout/ }, 'statement_timeout in the middle');
$session->query('RESET statement_timeout');
gives($session, "$mixed LIMIT 1", '1|t', 'and the session goes on');
my $ended = begin_held($node->session);
$other->query('SELECT pg_terminate_backend(' . $ended->pid . ')');
fails_with($session, $ended->finish, '57P01', {}, 'pg_terminate_backend in the middle');

# ---- nothing is left ----------------------------------------------------------------------------

sub sockets { return scalar grep { (readlink($_) // '') =~ /\Asocket:/ } glob '/proc/' . $session->pid . '/fd/*' }

sub contexts { return $session->query(q{SELECT count(*) || ' ' || coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts WHERE name LIKE 'iotdata%'}) }

my %ways = (
	'a cursor that is closed' => "BEGIN; DECLARE c CURSOR FOR $held; FETCH 2 FROM c; CLOSE c; COMMIT",
	'an aborted subtransaction' => "BEGIN; SAVEPOINT s; DECLARE c CURSOR FOR $held; FETCH 2 FROM c; ROLLBACK TO s; SELECT 1; COMMIT",
	'an error in a loop' => "DO \$\$ DECLARE r record; BEGIN FOR r IN $held LOOP RAISE EXCEPTION 'enough'; END LOOP; EXCEPTION WHEN raise_exception THEN NULL; END \$\$",
	'a LIMIT' => "$held LIMIT 2",
	'a LIMIT above another join' => "SELECT * FROM ($held OFFSET 0) s JOIN device d USING (id) LIMIT 1");
for my $way (sort keys %ways)
{
	$session->query($ways{$way}) for 1 .. 5;
	my ($sockets, $contexts) = (sockets(), contexts());

	$session->query($ways{$way}) for 1 .. 20;
	is(contexts(), $contexts, "$way: no memory is left");
	# how many are kept depends on how many were in use at once, five at most
	cmp_ok(sockets(), '<=', $sockets + 5, "$way: no connection is left");
	gives($session, "$mixed LIMIT 1", '1|t', "$way: the next statement works");
}

no_crash($node);
done_testing();
