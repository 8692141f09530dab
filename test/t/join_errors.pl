# An error in what a batched join evaluates ahead belongs to its row: it comes after the rows before
# it, and not at all when the row is not reached.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $server = IotData::FaultyServer->start(
	otherwise => json_answer({ connected => JSON::PP::true }),
	answers   => {
		'empty'    => json_answer({ subscriptions => [] }),
		'device-4' => http_answer(403, '', 'x-amzn-ErrorType' => 'ForbiddenException')
	});
my $node = IotData::Node->make('errors', endpoint => $server->url);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE device AS SELECT i AS id, 'd' || i AS client_id FROM generate_series(1, 100) i;
CREATE TABLE numbers AS SELECT i AS id, CASE WHEN i = 6 THEN 'six' ELSE i::text END AS number FROM generate_series(1, 100) i;
CREATE DOMAIN small AS integer CHECK (VALUE <> 6);
CREATE FUNCTION not_six(id integer) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	found text;
BEGIN
	FOR found IN SELECT d.client_id FROM device d WHERE d.id >= not_six.id ORDER BY d.id LOOP
		IF not_six.id = 6 THEN
			RAISE EXCEPTION 'six is wrong' USING ERRCODE = 'IX006';
		END IF;
		RETURN found;
	END LOOP;
	RETURN 'none';
END $$;
CREATE FUNCTION not_six_in_sql(id integer) RETURNS text LANGUAGE sql STABLE AS
	'SELECT max(client_id || 12 / (6 - $1)) FROM device d WHERE d.id <= $1';
CREATE FUNCTION first_five() RETURNS setof text LANGUAGE plpgsql AS $$
DECLARE
	c CURSOR FOR SELECT d.id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(not_six(d.id)) c ON true;
	r record;
BEGIN
	OPEN c;
	FOR i IN 1 .. 5 LOOP
		FETCH c INTO r;
		RETURN NEXT r::text;
	END LOOP;
END $$;
ANALYZE;
SQL
my $session = $node->session;
my $five    = join "\n", map { "$_|t" } 1 .. 5;

sub requests { return scalar $server->requests }

sub joined
{
	my ($argument, $condition) = @_;

	return "SELECT d.id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection($argument) c ON " . ($condition // 'true');
}

# ---- each kind of expression that can fail ------------------------------------------------------

for my $wrong (
	[ q{'d' || 100 / (6 - d.id)},                     undef, '22012', 'an argument' ],
	[ 'd.id::small::text',                            undef, '23514', 'an argument with a domain' ],
	[ 'not_six(d.id)',                                undef, 'IX006', 'a function in PL/pgSQL as argument' ],
	[ 'not_six_in_sql(d.id)',                         undef, '22012', 'a function in SQL as argument' ],
	[ q{d.client_id, CASE d.id WHEN 6 THEN d.client_id ELSE 'yes' END::boolean}, undef, '22P02', 'an argument that is not required' ],
	[ 'd.client_id', '100 / (6 - d.id) > -200',       '22012', 'a condition' ],
	[ 'd.client_id', q{not_six(d.id) <> 'x'},         'IX006', 'a function in PL/pgSQL as condition' ],
	[ q{'d' || d.id}, q{('{"a": ' || CASE d.id WHEN 6 THEN '' ELSE '1' END || '}')::jsonb ? 'a'}, '22P02', 'a condition over jsonb' ])
{
	my ($argument, $condition, $sqlstate, $name) = @$wrong;
	my $sql = joined($argument, $condition);

	like($session->query("EXPLAIN $sql"), qr/IoT Batched Lookup/, "a join with $name that can fail is batched");
	gives($session, "$sql LIMIT 5", $five, "$name that fails for a row after the LIMIT is no error");
	gives($session, "BEGIN; DECLARE k CURSOR FOR $sql; FETCH 5 FROM k", $five, "a cursor gives five rows before $name that fails for the 6th");
	fails_with($session, 'FETCH 1 FROM k', $sqlstate, {}, "a cursor fails with $name at the 6th row");
	$session->query('ROLLBACK');
	fails_with($session, $sql, $sqlstate, {}, "a query without a LIMIT fails with $name that fails for a row");
}

# ---- whose error comes first --------------------------------------------------------------------

fails_with($session, joined(q{'device-' || d.id, 100 / (6 - d.id) > 0}), 'IO403', { context => qr/device-4/ }, 'an error of the service for a row before comes first');
fails_with($session, joined(q{CASE WHEN d.id <= 3 THEN d.client_id ELSE repeat('x', 200) || 100 / (6 - d.id) END}), '22023', {}, 'an argument of a row before that breaks its rule comes first');
gives($session, 'SELECT * FROM first_five()', join("\n", map { "($_,t)" } 1 .. 5), 'a cursor of PL/pgSQL that does not reach the row sees no error');
gives($session, q{SELECT x.id, s.id FROM generate_series(1, 3) x(id) LEFT JOIN LATERAL (SELECT d.id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection('d' || 100 / (6 - d.id) || x.id) c ON true WHERE d.id > x.id LIMIT 2) s ON true},
	"1|2\n1|3\n2|3\n2|4\n3|4\n3|5", 'a scan can begin again after an error ahead');
gives($session, q{SELECT count(*) FROM (} . joined(q{'d' || d.id::small}) . q{ WHERE d.id <> 6) s}, '99', 'an argument that fails for a row that is not there is no error');

# A nested loop checks a condition with each row of the function, and there may be none.
my $empty = "SELECT d.id, s.qos FROM device d LEFT JOIN LATERAL iotdata.list_subscriptions('empty') s ON 100 / (6 - d.id) > -200";
gives($session, "SELECT count(*), count(qos) FROM ($empty) s", '100|0', 'a condition that fails matters only where the function has a row');
fails_with($session, $empty =~ s/'empty'/CASE d.id WHEN 6 THEN repeat('x', 200) ELSE 'empty' END/r, '22023', {}, 'a condition that fails does not matter after an error of the call');

# ---- what goes on ahead all the same ------------------------------------------------------------

# The requests that a statement makes, failed or not.
sub requests_of
{
	my ($sql) = @_;
	my $before = requests();

	$session->try($sql);
	return requests() - $before;
}

is(requests_of(joined(q{'d' || 100 / (6 - d.id)})), 5, 'rows before the one that fails are asked about, none after it');

for my $argument (q{'dev-' || d.id}, q{coalesce(not_six(d.id + 10), 'x')}, q{(SELECT max(n.number) FROM numbers n WHERE n.id = d.id)})
{
	my $slow = IotData::Emulator->start(arguments => [qw(--delay 100)]);
	$session->query("SET iotdata.endpoint_url = '" . $slow->url . "'; SET iotdata.max_concurrency = 16");
	is($session->query('SELECT count(*) FROM (' . joined($argument) . ') s'), 100, "rows come with the argument $argument");
	$slow->stop;
	my ($most) = $slow->log_text =~ /^http summary .*\bmost-at-once=(\d+)/m;
	is($most, 16, "as many calls are in flight as may be, with the argument $argument");
	$session->query('RESET iotdata.endpoint_url; RESET iotdata.max_concurrency');
}

# ---- sub-selects --------------------------------------------------------------------------------

my $uncorrelated = q{(SELECT CASE WHEN count(*) > 0 THEN 'x' END FROM numbers)};
my $sql = joined("CASE WHEN d.id > 2 THEN $uncorrelated || 100 / (6 - d.id) ELSE d.client_id END");
gives($session, "$sql LIMIT 5", $five, 'an error ahead is no error for the rows before it, beside a sub-select that depends on no row');
fails_with($session, $sql, '22012', {}, 'an error beside a sub-select that depends on no row is raised when its row comes');
$sql = joined('(SELECT max(n.number::integer)::text FROM numbers n WHERE n.id = d.id)');
gives($session, "$sql LIMIT 5", $five, 'a LIMIT reads no row whose sub-select fails');
fails_with($session, $sql, '22P02', {}, 'an error in a sub-select over the row is raised');
$sql = joined('(SELECT max(n.number) FROM numbers n WHERE n.id = d.id)', '100 / (6 - d.id) > -200');
fails_with($session, "SELECT x.id, s.id FROM generate_series(1, 3) x(id) LEFT JOIN LATERAL ($sql AND d.id > x.id LIMIT 8) s ON true", '22012', {}, 'an error in a condition is raised beside a sub-select over the row');
fails_with($session, joined('(SELECT n.number FROM numbers n WHERE n.id BETWEEN d.id AND d.id + d.id / 6)'), '21000', {}, 'a sub-select with too many rows is an error');

# ---- where a subtransaction is in the way -------------------------------------------------------

$session->query('SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0');
$sql = joined(q{'d' || d.id}) =~ s/SELECT d.id, c.connected/SELECT count(*), count(c.connected)/r;
like($session->query("EXPLAIN $sql"), qr/IoT Batched Lookup.*Gather/s, 'the other side is read by parallel workers');
gives($session, $sql, '100|100', 'an argument that could fail is evaluated beside parallel workers');
fails_with($session, $sql =~ s/d\.id\b/100 \/ (6 - d.id)/r, '22012', {}, 'an argument that fails beside parallel workers is an error') for 1 .. 2;
$session->query('RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size');

$session->query('BEGIN; CREATE TABLE written (id integer, connected boolean); SAVEPOINT s');
my $insert = 'INSERT INTO written ' . joined('not_six(d.id)');
fails_with($session, $insert, 'IX006', {}, 'a statement that writes fails with the row');
gives($session, "ROLLBACK TO s; $insert WHERE d.id <> 6; SELECT count(*), count(connected) FROM written; COMMIT", '99|99', 'a statement that writes has its rows in the next try');
gives($session, 'UPDATE written w SET connected = NOT c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(not_six(d.id + 6)) c ON true WHERE d.id = w.id RETURNING w.id' =~ s/RETURNING w.id/AND w.id < 3 RETURNING w.*/r, "1|f\n2|f", 'an UPDATE can have an argument that is evaluated in a subtransaction');
gives($session, "BEGIN READ ONLY; $sql; COMMIT", '100|100', 'a read-only transaction can have an argument that could fail');
gives($session, "BEGIN ISOLATION LEVEL SERIALIZABLE; $sql; COMMIT", '100|100', 'a serializable transaction can have an argument that could fail');

# ---- a cancel is no error of a row --------------------------------------------------------------

$session->query(q{CREATE FUNCTION slow(id integer) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM CASE WHEN id = 6 THEN pg_sleep(3600) END; RETURN 'd' || id; END $$});
my $other = $node->session;
$session->begin('BEGIN; DECLARE k CURSOR FOR ' . joined('slow(d.id)') . '; FETCH 1 FROM k');
ok(eventually(sub { $other->query(q{SELECT wait_event FROM pg_stat_activity WHERE pid = } . $session->pid) eq 'PgSleep' }), 'a function that takes its time is evaluated ahead');
$other->query('SELECT pg_cancel_backend(' . $session->pid . ')');
fails_with($session, $session->finish, '57014', {}, 'a cancel reaches a function that is evaluated ahead');
gives($session, 'ROLLBACK; ' . joined('d.client_id') . ' LIMIT 1', '1|t', 'the session goes on after a cancel of what is evaluated ahead');

# ---- what is nobody's row -----------------------------------------------------------------------

my $nowhere = IotData::Node->make('nowhere', environment => { AWS_REGION => undef });
$nowhere->safe_psql('postgres', q{CREATE TABLE device AS SELECT i AS id, CASE WHEN i > 3 THEN 'd' || i END AS client_id FROM generate_series(1, 9) i});
my $lost = $nowhere->session;
gives($lost, joined('d.client_id') . ' LIMIT 3', "1|NULL\n2|NULL\n3|NULL", 'without a region rows that need no call come');
$lost->query('BEGIN; DECLARE k CURSOR FOR ' . joined('d.id::text', 'd.id > 3'));
gives($lost, 'FETCH 3 FROM k', "1|NULL\n2|NULL\n3|NULL", 'without a region a cursor gives rows that need no call');
fails_with($lost, 'FETCH 1 FROM k', '22023', { message => qr/region/ }, 'without a region the first row that needs a call fails');

unlike($node->log_text, qr/WARNING/, 'nothing is left behind by what failed ahead');
no_crash($node);
done_testing();
