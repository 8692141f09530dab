# What sessions have in common, used by several at once: rates, kept answers, claims, statistics.

use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use IotData::Check;
use IotData::Node;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node  = IotData::Node->make('shared');
my $here  = dirname(__FILE__);
my $probe = PostgreSQL::Test::Utils::tempdir . '/shared_probe.so';
my $headers = $node->config_data('--includedir-server');
plan skip_all => "PostgreSQL's headers are not installed" unless -f "$headers/postgres.h";

system('cc', '-O2', '-shared', '-fPIC', '-o', $probe, "-I$here/../../src", "-I$headers", "$here/../perl/shared_probe.c",
	glob("$here/../../src/shared/*.c"), "$here/../../src/aws/token_bucket.c") == 0
  or die 'the probe could not be built';

# begin(PRELOAD): a server with the probe's functions, and three sessions of it
my @sessions;

sub begin
{
	my ($preload) = @_;

	$_->quit for @sessions;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\n");
	$node->restart;
	@sessions = map { $node->session } 1 .. 3;
	return;
}

# all_do(SQL): what each session says to it, all at the same time
sub all_do
{
	my ($sql) = @_;

	$_->begin($sql) for @sessions;
	return map { $_->finish->{out} } @sessions;
}

sub sum
{
	my $sum = 0;
	$sum += $_ for @_;
	return $sum;
}

$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION probe_burst(integer, integer) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_rate(integer, integer, double precision) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_clients(integer, integer) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_answers(integer, double precision) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_claims(integer, text) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_leave_claim(text) RETURNS boolean AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_find_time(integer) RETURNS bigint AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_hits() RETURNS bigint AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_note_time(integer, integer) RETURNS bigint AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_counts() RETURNS text AS '$probe' LANGUAGE C;
SQL
begin($probe);

# ---- rates --------------------------------------------------------------------------------------

# A session begins a little later than the one before: the time is that of all of them. One that
# had a third of the rate to itself, and two that did not run at all, would be too little.
my $began   = time;
my $granted = sum(all_do('SELECT probe_rate(200, 1000000, 1)'));
my $seconds = time - $began;
cmp_ok($granted, '<=', 200 * $seconds + 50, "three sessions together stay under the rate ($granted in $seconds s)");
cmp_ok($granted, '>=', 200 / 2, "three sessions together use the rate of one ($granted in $seconds s)");
$began   = time;
$granted = sum(all_do('SELECT probe_rate(1000000, 1, 1.5)'));
$seconds = time - $began;
cmp_ok($granted, '<=', $seconds + 1, "three sessions together read a client once a second ($granted times in $seconds s)");
cmp_ok($granted, '>=', 2, "a client can be read again after a second ($granted times in $seconds s)");

# that is only true of sessions that ask within the same second
my $target = 1;
eventually(
	sub {
		my $begin = time;

		$granted = sum(all_do('SELECT probe_clients(' . $target++ . ', 100)'));
		return time - $begin < 1;
	}) or die "the sessions do not ask within a second\n";
is($granted, 100, 'each of many clients is read once by three sessions in the same second');

# 64 targets have a bucket; one rate is a hundred messages at once
begin($probe);
is($sessions[0]->query('SELECT probe_burst(1, 400)'), '100', 'a new target begins with a full bucket');
cmp_ok($sessions[0]->query('SELECT min(probe_burst(g, 400)) FROM generate_series(2, 64) g'), '==', 100, 'so do all targets that there is room for');
$sessions[0]->query('SELECT count(probe_burst(g, 1)) FROM generate_series(65, 128) g');
cmp_ok($sessions[0]->query('SELECT probe_burst(1, 400)'), '<', 2, 'a target that was evicted meanwhile begins with an empty bucket');

# ---- answers ------------------------------------------------------------------------------------

is_deeply([ all_do('SELECT probe_answers(700, 1)') ], [ 0, 0, 0 ], 'every answer that is found is whole, while others are stored and forgotten');
is_deeply([ all_do('SELECT probe_answers(5, 0.5)') ], [ 0, 0, 0 ], 'every answer that is found is whole, also with few keys');
$began = time;
my @asked = all_do(q{SELECT probe_claims(200, 'claims')});
$seconds = time - $began;
is(sum(@asked), 200, "an answer that several sessions want is asked for once (@asked)");
# who is not woken looks again after three seconds, 200 times
cmp_ok($seconds, '<', 200, "a session that waits for an answer is woken when it is there (200 took $seconds s)");
my $look = $sessions[0]->query('SELECT probe_find_time(100000)') / 100000;
cmp_ok($look, '<', 5, "to find an answer takes less than 5 us of the processor's time ($look)");

my $hits = $sessions[0]->query('SELECT probe_hits()');
all_do('SELECT probe_find_time(50000)');
is($sessions[0]->query('SELECT probe_hits()') - $hits, 150000, 'no hit of several sessions is lost in counting');

# A session that does not look after its claim: others wait for three seconds, if it has other work to do
# and may come back to it, and then take it over.
$began = time;
is($sessions[0]->query(q{SELECT probe_leave_claim('left')}), 't', 'what nobody asks for can be claimed');
$sessions[0]->begin(q{DO 'BEGIN WHILE clock_timestamp() < now() + interval ''10 s'' LOOP END LOOP; END'});
eventually(sub { $node->safe_psql('postgres', 'SELECT state FROM pg_stat_activity WHERE pid = ' . $sessions[0]->pid) eq 'active' }) or die "it is not at work\n";
is($sessions[1]->query(q{SELECT probe_claims(1, 'left')}), '1', 'a claim that nobody releases is taken over');
cmp_ok(time - $began, '>=', 3, 'a claim that nobody releases is waited for first');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $sessions[0]->pid . ')');
$sessions[0]->finish;

# One that rests is not waited for: what is shorter than a claim lasts will do.
is($sessions[0]->query(q{SELECT probe_leave_claim('rest')}), 't', 'another claim is left');
$sessions[1]->query("SET statement_timeout = '2.5 s'");
is($sessions[1]->query(q{SELECT probe_claims(1, 'rest')}), '1', 'the claim of a session that waits for its client is taken over at once');
$sessions[1]->query('RESET statement_timeout');

# ---- statistics ---------------------------------------------------------------------------------

all_do('SELECT probe_note_time(100000, 10)');
is($sessions[0]->query('SELECT probe_counts()'), '10|300000|300000|target-9.iot.eu-west-1.amazonaws.com', 'no call of several sessions is lost in counting');
my $note = $sessions[0]->query('SELECT probe_note_time(100000, 10)') / 100000;
cmp_ok($note, '<', 5, "to count a call takes less than 5 us of the processor's time ($note)");
all_do('SELECT probe_note_time(1000, 1000)');
is($sessions[0]->query('SELECT probe_counts()'), '128|403000|403000|(others)', 'calls to more targets than there is room for are counted together');

# ---- without preloading --------------------------------------------------------------------------

begin('');
is_deeply([ all_do(q{SELECT probe_claims(50, 'own')}) ], [ 50, 50, 50 ], 'without preloading each session asks for itself');
is_deeply([ all_do('SELECT probe_answers(700, 0.5)') ],   [ 0,  0,  0 ],  'without preloading every answer that is found is whole');
is($_->query('SELECT probe_note_time(10, 1) > 0, probe_counts()'), 't|1|10|10|target-0.iot.eu-west-1.amazonaws.com', 'without preloading each session counts for itself') for @sessions;
$granted = sum(all_do('SELECT probe_rate(1000000, 1, 0.3)'));
is($granted, 3, 'without preloading each session has a rate of its own');

$_->quit for @sessions;
no_crash($node);
done_testing();
