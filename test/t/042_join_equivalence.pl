# Batched joins change nothing but the time: generated queries give the same with
# iotdata.batch_joins and without. IOTDATA_SEED sets the generator's seed, IOTDATA_QUERIES how many
# queries there are of each kind.

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
my $generator = IotData::QueryGenerator->new(seed => $seed, foreign => $foreign);
ok(eventually(sub { $plain->query(q{SELECT connected FROM iotdata.get_connection('fan')}) eq 'f' }), 'one client is not connected');

# Runs statements in a transaction that is rolled back.
sub run
{
	my ($session, $query, $statements) = @_;
	my $result = $session->try("BEGIN; $query->{settings}$statements\n; ROLLBACK; DEALLOCATE ALL");
	my @rows   = split /\n/, $result->{out};

	die "the session has ended:\n$statements\n$result->{stderr}\n" if $result->{ended};
	return { result => $result, error => $result->{sqlstate} // '', rows => join "\n", $query->{ordered} ? @rows : sort @rows };
}

sub shown
{
	my ($how, $run, $plan) = @_;

	return "---- $how: $run->{error} " . ($run->{result}{message} // '') . "\n" . IotData::Check::shortened($run->{rows}) . "\n$plan->{result}{out}\n";
}

# Runs a query in both ways. Returns whether it was batched, and what is to be said when the two
# differ.
sub compare
{
	my ($query) = @_;
	my $explain = ($query->{before} // '') . $query->{explain};
	my $plan    = run($batched, $query, $explain);
	my ($on, $off) = map { run($_, $query, $query->{statements}) } $batched, $plain;
	my $same = $on->{error} eq $off->{error} && ($on->{error} || $on->{rows} eq $off->{rows});
	# queries are to be right: an error of the generator's would hide what they are about
	my $wrong = $on->{error} =~ /\A(?:42|0A|XX)/;

	return ($plan->{result}{out} =~ /IoT Batched Lookup/, $same && !$wrong ? undef
		: "$query->{settings}$query->{statements}\n" . shown('batched', $on, $plan) . shown('not batched', $off, run($plain, $query, $explain)));
}

my ($queries, $with_node, $with_error) = (0, 0, 0);
for my $kind ($generator->kinds)
{
	my ($count, @different) = (0);

	for (1 .. $rounds)
	{
		my ($is_batched, $difference) = compare($generator->query($kind));

		$queries++;
		$count     += $is_batched ? 1 : 0;
		$with_node += $is_batched ? 1 : 0;
		push @different, $difference if defined $difference;
	}
	ok(!@different, "$kind: $rounds queries give the same in both ways")
	  or diag("seed $seed, " . @different . " differ:\n" . join("\n", splice @different, 0, 2));
	my $expected = $generator->is_batched($kind);
	ok($expected ? $count > 0 : $count == 0, "$kind: " . ($expected ? 'they are batched' : 'they are not batched')) or diag("seed $seed: $count of $rounds");
}
note("$queries queries, $with_node of them batched");
cmp_ok($queries, '>=', 400, 'there were hundreds of queries') if $rounds >= 8;
cmp_ok($with_node, '>', $queries / 2, 'most were batched');
SKIP:
{
	skip 'no join with a foreign table: file_fdw is not installed', 1 unless $foreign;
	pass('there were joins with a foreign table');
}

no_crash($node);
done_testing();
