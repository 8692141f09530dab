# get_connection_result: an error that is one client's alone is in its row, in a join as in a call by
# itself and as get_connections has it; what is wrong for everybody ends the statement.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use JSON::PP;
use Test::More;

sub connected { return json_answer({ connected => JSON::PP::true, clientId => $_[0] }) }

my $server = IotData::FaultyServer->start(
	answers => {
		(map { ($_ => connected($_)) } qw(good a b c)),
		gone      => not_found(),
		forbidden => http_answer(403, '{"message":"not yours"}'),
		oops      => http_answer(500, '{"message":"oops"}'),
		refused   => http_answer(400, '{"message":"no"}'),
		throttled => http_answer(429, ''),
		broken    => http_answer(200, '{"connected":1}'),
		garbage   => http_answer(200, 'garbage'),
		lost      => [ [ ['close'] ] ],
		slow      => [ [ ['hold'] ] ],
		never     => [ [ ['hold'] ] ],
	});
my $node = IotData::Node->make('result', endpoint => $server->url);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE device (id integer PRIMARY KEY, client_id text, fallback text);
INSERT INTO device SELECT row_number() OVER (), id, 'c' FROM unnest(ARRAY['a', 'forbidden', 'gone', 'oops', 'refused', 'throttled',
	'broken', 'garbage', 'lost', 'slow', '', '$x', repeat('x', 129), '..', NULL, 'forbidden', 'b', 'a']) id;
ANALYZE;
SQL
my $session = $node->session;
my $plain   = $node->session(variables => { PGOPTIONS => '-c iotdata.batch_joins=off' });
$_->query(q{SET iotdata.request_timeout = '300ms'; SET iotdata.max_attempts = 1; SET iotdata.read_rate = 0}) for $session, $plain;

my $columns = 'client_id, (connection).connected, error_code, error_message';
sub asked { return scalar($server->requests($_[0])) }
sub is_batched { return $_[0]->query("EXPLAIN $_[1]") =~ /IoT Batched Lookup/ }

# ---- a row's own errors -------------------------------------------------------------------------

my $expected = join ' ', qw(- IO403 - IO500 IO400 IO429 IO007 IO007 IO006 IO006 22023 22023 22023 22023 - IO403 - -);
my $join     = 'SELECT r.client_id, (r.connection).connected, r.error_code, r.error_message FROM device d LEFT JOIN LATERAL iotdata.get_connection_result(d.client_id) r ON true ORDER BY d.id';
my $rows     = $session->query($join);
is(join(' ', map { (split /\|/)[2] =~ s/NULL/-/r } split /\n/, $rows), $expected, 'in a join each error is its row\'s own, and stops no other row');
is(asked('forbidden'), 1, 'equal rows share one call that fails');
ok(is_batched($session, $join),  'the join is batched');
ok(!is_batched($plain, $join), 'and is not with iotdata.batch_joins off');
is($plain->query($join), $rows, 'a join that is not batched has the same rows');
is($session->query("SELECT $columns FROM iotdata.get_connections((SELECT array_agg(client_id ORDER BY id) FROM device))"), $rows, 'get_connections has the same rows');
my @rows = split /\n/, $rows;
like($rows[1], qr/\Aforbidden\|NULL\|IO403\|AWS IoT answered .*: not yours\z/, 'a row that failed has the message of the error');
is($rows[2],  'gone|NULL|NULL|NULL', 'a client that is not known has no connection, and no error');
is($rows[11], '$x|NULL|22023|client_id must not begin with "$"', 'a row whose client ID is malformed has the message of that error');
is($rows[14], 'NULL|NULL|NULL|NULL', 'a client ID that is NULL has a row of NULLs');
is($rows[17], 'a|t|NULL|NULL', 'rows after those that failed have their answers');

gives($session, "SELECT $columns FROM iotdata.get_connection_result('a')", 'a|t|NULL|NULL', 'a call by itself has its answer');
gives($session, "SELECT $columns FROM iotdata.get_connection_result('forbidden')", $rows[1], 'a call by itself has its error');
gives($session, "SELECT (iotdata.get_connection_result('\$x')).error_code", '22023', 'a call in a select list has its error');
gives($session, 'SELECT iotdata.get_connection_result(NULL) IS NULL', 't', 'a call about NULL gives NULL');
gives($session, q{SELECT (r.connection).client_id, r.connection IS NOT DISTINCT FROM r.connection, pg_typeof(r.connection) FROM device d, LATERAL iotdata.get_connection_result(d.client_id) r WHERE d.id = 1}, 'a|t|iotdata.connection', 'the connection is a value of its type');

# ---- in other joins -----------------------------------------------------------------------------

for my $query (
	[ 'SELECT d.id, r FROM device d CROSS JOIN LATERAL iotdata.get_connection_result(d.client_id) r WHERE d.id IN (2, 3, 15) ORDER BY d.id', undef, 'a whole row' ],
	[ q{SELECT d.id FROM device d CROSS JOIN LATERAL iotdata.get_connection_result(d.client_id) r WHERE r.error_code LIKE 'IO%' ORDER BY d.id}, join("\n", 2, 4 .. 10, 16), 'a condition on the error' ],
	[ q{SELECT d.id, s.error_code, (s.connection).client_id FROM device d JOIN LATERAL iotdata.get_connection_result(d.client_id) r ON r.error_code = 'IO403' LEFT JOIN LATERAL iotdata.get_connection_result(coalesce((r.connection).client_id, d.fallback)) s ON true ORDER BY 1}, "2|NULL|c\n16|NULL|c", 'a join over the result of another' ],
	[ q{SELECT d.id, s.topic_filter, r.error_code FROM device d LEFT JOIN LATERAL iotdata.get_connection_result(d.client_id) r ON true LEFT JOIN LATERAL iotdata.list_subscriptions(r.error_code) s ON s.qos > 100 WHERE d.id = 12}, undef, 'a list about its error' ])
{
	my ($sql, $wanted, $name) = @$query;
	my ($batched, $not) = map { $_->try($sql) } $session, $plain;

	ok(is_batched($session, $sql), "$name is batched");
	is($batched->{out} . ($batched->{sqlstate} // ''), $not->{out} . ($not->{sqlstate} // ''), "$name gives the same with and without batches");
	is($batched->{out}, $wanted, "$name gives what it must") if defined $wanted;
}
gives($session, q{BEGIN; DECLARE k CURSOR FOR SELECT r.client_id, r.error_code FROM device d, LATERAL iotdata.get_connection_result(d.client_id) r; FETCH 3 FROM k; COMMIT}, "a|NULL\nforbidden|IO403\ngone|NULL", 'a cursor has the rows that are fetched');
gives($session, q{SELECT count(*), count(r.error_code), max(length(r.client_id)) FROM generate_series(1, 5000) i, LATERAL iotdata.get_connection_result(repeat('x', 200 + i % 7)) r}, '5000|5000|206', 'thousands of rows have errors');

# ---- what is wrong for everybody ----------------------------------------------------------------

$session->query('RESET iotdata.request_timeout');
my $all = 'FROM device d, LATERAL iotdata.get_connection_result(%s) r WHERE d.id IN (1, 2)';
my $one = q{FROM iotdata.get_connection_result(%s) r};
my $set = q{FROM iotdata.get_connections(%s) r};
for my $wrong (
	[ q{max_age => '-1 s'}, '22023', 'a max_age that is negative' ],
	[ q{server => 'nowhere'}, '42704', 'a server that does not exist' ])
{
	my ($argument, $sqlstate, $name) = @$wrong;

	fails_with($session, 'SELECT r.* ' . sprintf($all, "d.client_id, $argument"), $sqlstate, {}, "$name ends a join");
	fails_with($plain, 'SELECT r.* ' . sprintf($all, "d.client_id, $argument"), $sqlstate, {}, "$name ends a join that is not batched");
	fails_with($session, 'SELECT r.* ' . sprintf($one, "'a', $argument"), $sqlstate, {}, "$name ends a call");
	fails_with($session, 'SELECT r.* ' . sprintf($set, "ARRAY['a', 'b'], $argument"), $sqlstate, {}, "$name ends get_connections");
}
gives($session, q{SELECT r.client_id FROM device d, LATERAL iotdata.get_connection_result(d.client_id, max_age => CASE d.id WHEN 17 THEN '-1 s' END::interval) r ORDER BY d.id LIMIT 3}, "a\nforbidden\ngone", 'an error of everybody comes in its row\'s turn');

for my $case ([ $session, 'a join' ], [ $plain, 'a call' ])
{
	my ($victim, $name) = @$case;

	$victim->query(q{SET iotdata.request_timeout = '1min'});
	my $before = asked('never');
	$victim->begin(q{SELECT r.* FROM unnest(ARRAY['a', 'never', 'b']) id, LATERAL iotdata.get_connection_result(id) r});
	ok(eventually(sub { asked('never') > $before }), "$name is under way");
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $victim->pid . ')');
	fails_with($victim, $victim->finish, '57014', {}, "a cancel ends $name, and is no row's own error");
	goes_on($victim, "a cancel in the middle of $name");
}

my $before = $session->query(q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'iotdata%'}) || 0;
$session->try(q{DO $$ BEGIN PERFORM iotdata.get_connection_result('lost'), iotdata.get_connection_result('$x'); PERFORM iotdata.get_connection_result('a', server => 'nowhere'); END $$}) for 1 .. 20;
is($session->query(q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'iotdata%'}) || 0, $before, 'calls that fail leave no memory behind');

# ---- without credentials ------------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE SERVER bare FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region $$eu-west-1$$); CREATE USER MAPPING FOR CURRENT_USER SERVER bare');
for my $from (sprintf($all, 'd.client_id, server => $$bare$$'), sprintf($one, '$$a$$, server => $$bare$$'), sprintf($set, 'ARRAY[$$a$$], server => $$bare$$'))
{
	fails_with($session, "SELECT r.* $from", '28000', {}, "no credentials end the statement: $from");
}

no_crash($node);
done_testing();
