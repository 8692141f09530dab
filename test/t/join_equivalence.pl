# Batched joins change nothing but the time: generated queries give the same with
# iotdata.batch_joins and without. IOTDATA_SEED sets the generator's seed, IOTDATA_QUERIES how many
# queries there are of each kind, IOTDATA_KINDS which kinds, separated by spaces.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::Node;
use IotData::QueryGenerator;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed   = $ENV{IOTDATA_SEED}    || time;
my $rounds = $ENV{IOTDATA_QUERIES} || 8;
my @only   = split ' ', $ENV{IOTDATA_KINDS} // '';
note("the generator's seed is $seed");

my $emulator = IotData::Emulator->start;
my $node     = IotData::Node->make('equivalence', endpoint => $emulator->url, conf => "iotdata.read_rate = 0\n");
my @clients  = (
	IotData::Client->start($emulator, 'lamp', topics => { 'lamp/#' => 1, 'all' => 1, 'light/+' => 1 }),
	IotData::Client->start($emulator, 'plug', topics => { 'plug/#' => 0 }, version => 'mqttv311', keep_alive => 30));
my $fan = IotData::Client->start($emulator, 'fan', topics => { 'fan/#' => 1, 'air' => 1 }, persistent => 1, session_expiry => 3600);
$fan->leave;

my $folder  = PostgreSQL::Test::Utils::tempdir();
my $foreign = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'});
$node->safe_psql('postgres', $IotData::QueryGenerator::TABLES);
$node->safe_psql('postgres', sprintf $IotData::QueryGenerator::FOREIGN_TABLE, $folder) if $foreign;

my $batched   = $node->session(variables => { PGOPTIONS => '-c iotdata.batch_joins=on' });
my $plain     = $node->session(variables => { PGOPTIONS => '-c iotdata.batch_joins=off' });
my $generator = IotData::QueryGenerator->new(seed => $seed, version => $node->pg_version->major, foreign => $foreign);
my @kinds     = @only ? @only : $generator->kinds;
ok(eventually(sub { $plain->query(q{SELECT connected FROM iotdata.get_connection('fan')}) eq 'f' }), 'one client is not connected');

# Runs statements in a transaction that is rolled back.
sub run
{
	my ($session, $query, $statements) = @_;
	my $result = $session->try("BEGIN; $query->{settings}$statements\n; ROLLBACK; DEALLOCATE ALL");
	my @rows   = split /\n/, $result->{out};

	die "the session has ended:\n$statements\n$result->{stderr}\n" if $result->{ended};
	# the first error: those that follow say that the transaction is aborted
	my ($error) = $result->{stderr} =~ /ERROR:  (\w{5}): /;
	return { result => $result, error => $error // '', rows => join "\n", $query->{ordered} ? @rows : sort @rows };
}

# The plan of a query, as EXPLAIN shows it.
sub plan_of
{
	my ($session, $query) = @_;

	return run($session, $query, ($query->{before} // '') . $query->{explain})->{result}{out};
}

sub shown
{
	my ($how, $query, $run, $plan) = @_;

	return "---- $how: $query->{settings}$query->{statements}\n$run->{result}{stderr}\n" . IotData::Check::shortened($run->{rows}) . "\n$plan\n";
}

# Runs a query in both ways. Returns whether it was batched, and what is to be said when the two
# differ.
sub compare
{
	my ($query) = @_;
	my $other = $query->{reference} // $query;
	my $plan  = plan_of($batched, $query);
	my $on    = run($batched, $query, $query->{statements});
	my $off   = run($plain, $other, $other->{statements});
	my $same = $on->{error} eq $off->{error} && ($on->{rows} eq $off->{rows} || ($on->{error} && !$query->{partial}));
	# queries are to be right: an error of the generator's would hide what they are about
	my $wrong = $on->{error} =~ /\A(?:42|0A|XX)/;

	return ($plan =~ /IoT Batched Lookup/, $same && !$wrong ? undef : shown('batched', $query, $on, $plan) . shown('not batched', $other, $off, plan_of($plain, $other)));
}

my ($queries, $with_node) = (0, 0);
for my $kind (@kinds)
{
	my ($count, @different) = (0);

	for (1 .. $rounds)
	{
		my $query = $generator->query($kind);
		my ($is_batched, $difference) = compare($query);

		$queries++;
		$count     += $is_batched ? 1 : 0;
		$with_node += $is_batched ? 1 : 0;
		push @different, $difference if defined $difference;
		note("not batched: $query->{settings}$query->{statements}") if !$is_batched && $generator->is_batched($kind);
	}
	ok(!@different, "$rounds queries of the kind $kind give the same in both ways")
	  or diag("seed $seed, " . @different . " differ:\n" . join("\n", splice @different, 0, 2));
	my $expected = $generator->is_batched($kind);
	next unless defined $expected;
	ok($expected ? $count > 0 : $count == 0, "queries of the kind $kind are " . ($expected ? 'batched' : 'not batched'))
	  or diag("seed $seed: $count of $rounds");
}
note("$queries queries, $with_node of them batched");
cmp_ok($queries, '>=', 400, 'hundreds of queries are compared') if $rounds >= 8 && !@only;
cmp_ok($with_node, '>', $queries / 2, 'most of the queries are batched');
SKIP:
{
	skip 'no join with a foreign table: file_fdw is not installed', 1 unless $foreign;
	pass('joins with a foreign table are among the queries');
}

# ---- rows that another session changes meanwhile ------------------------------------------------

# A statement meets a row that is locked, waits, and checks the row's new version: with the
# function's row as it was, and no further call. Returns what it gave, and the requests it made.
sub after_change
{
	my ($session, $sql) = @_;
	my $other  = $node->session;
	my $before = $emulator->requests;

	$other->query(q{BEGIN; UPDATE device SET client_id = 'fan', n = n + 10 WHERE id IN (1, 3, 7); DELETE FROM device WHERE id = 5});
	$session->begin("BEGIN; $sql\n; ROLLBACK");
	eventually(sub { $node->safe_psql('postgres', 'SELECT wait_event_type FROM pg_stat_activity WHERE pid = ' . $session->pid) eq 'Lock' })
	  or die "it does not wait: $sql\n";
	$other->query('COMMIT');
	my $result   = $session->finish;
	my $requests = $emulator->requests - $before;

	$node->safe_psql('postgres', q{UPDATE device SET client_id = NULL WHERE id = 3;
		UPDATE device SET client_id = 'plug' WHERE id = 7; UPDATE device SET client_id = 'lamp' WHERE id = 1;
		UPDATE device SET n = n - 10 WHERE id IN (1, 3, 7); INSERT INTO device VALUES (5, 'lamp', 'light', 5)});
	return ($result->{stderr} . join("\n", sort split /\n/, $result->{out}), $requests);
}

my $left = 'device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON d.n <> 2';
for my $sql (
	"SELECT d.id, d.client_id, d.n, c.client_id, c.connected FROM $left FOR UPDATE OF d",
	"SELECT d.id, d.client_id, d.n, c.client_id, c.connected FROM $left WHERE c.connected FOR UPDATE OF d",
	"SELECT d.id, d.client_id, d.n, c.client_id, c.connected, q.id FROM place q JOIN $left ON q.device_id = d.id FOR UPDATE OF d",
	'SELECT d.id, d.n, s.topic_filter FROM device d JOIN LATERAL iotdata.list_subscriptions(d.client_id) s ON s.qos < d.n FOR UPDATE OF d',
	'SELECT d.id, d.n, y.x FROM device d LEFT JOIN LATERAL (SELECT coalesce(100 / (s.qos - d.n % 2), 0) AS x, s.qos FROM iotdata.list_subscriptions(d.client_id) s WHERE s.qos <> d.n % 2) y ON y.x <> d.n FOR UPDATE OF d',
	"UPDATE device t SET kind = c.client_id FROM $left WHERE d.id = t.id RETURNING t.*",
	'DELETE FROM device t USING device d JOIN LATERAL iotdata.get_connection(d.client_id) c ON c.connected WHERE d.id = t.id RETURNING t.*, d.*, c.client_id')
{
	my ($on, $calls) = after_change($batched, $sql);
	my ($off) = after_change($plain, $sql);

	is($on, $off, "rows that are changed meanwhile are the same in both ways: $sql");
	cmp_ok($calls, '<=', 5, "no call is made again for rows that are changed meanwhile: $sql") or diag("$calls calls: $sql");
	like(run($batched, { settings => '' }, "EXPLAIN $sql")->{result}{out}, qr/IoT Batched Lookup/, "a query over rows that are changed meanwhile is batched: $sql");
}

no_crash($node);
done_testing();
