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
CREATE FUNCTION probe_rate(integer, integer, double precision) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_answers(integer, double precision) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_claims(integer, text) RETURNS integer AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_find_time(integer) RETURNS bigint AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_note_time(integer, integer) RETURNS bigint AS '$probe' LANGUAGE C;
CREATE FUNCTION probe_counts() RETURNS text AS '$probe' LANGUAGE C;
SQL
begin($probe);

# ---- rates --------------------------------------------------------------------------------------

# A session begins a little later than the one before: the time is that of all of them.
my $began   = time;
my $granted = sum(all_do('SELECT probe_rate(200, 1000000, 2)'));
my $seconds = time - $began;
cmp_ok($granted, '<=', 200 * $seconds + 50, "three sessions together stay under the rate: $granted in $seconds s");
cmp_ok($granted, '>=', 0.97 * (200 * 2),    'and use it');
$granted = sum(all_do('SELECT probe_rate(1000000, 1, 2.5)'));
ok($granted >= 3 && $granted <= 4, "one client is asked about once a second by all of them: $granted times in 2.5 s");
$granted = sum(all_do('SELECT probe_rate(999999, 100, 0.5)'));
is($granted, 100, 'others meanwhile, once each');

# ---- answers ------------------------------------------------------------------------------------

is_deeply([ all_do('SELECT probe_answers(700, 2)') ], [ 0, 0, 0 ], 'an answer that is found is whole, while others are stored and forgotten');
is_deeply([ all_do('SELECT probe_answers(5, 1)') ],   [ 0, 0, 0 ], 'with few keys, too');
$began = time;
my @asked = all_do(q{SELECT probe_claims(200, 'claims')});
$seconds = time - $began;
is(sum(@asked), 200, "what several want is asked for once (@asked)");
cmp_ok($seconds, '<', 5, "and who waits is woken: 200 answers of 2 ms took $seconds s");
cmp_ok($sessions[0]->query('SELECT probe_find_time(100000)') / 100000, '<', 5, 'an answer is found in microseconds')
  and note('microseconds for a look: ', $sessions[0]->query('SELECT probe_find_time(100000)') / 100000);

# A session that does not look after its claim: others wait for three seconds, and then take it over.
$sessions[0]->query(q{SET statement_timeout = '100ms'});
$sessions[0]->try(q{SELECT probe_claims(1000000, 'left')});
$sessions[0]->query('RESET statement_timeout');
$began = time;
$sessions[1]->query(q{SELECT probe_claims(100, 'left')});
cmp_ok(time - $began, '>=', 2.5, 'a claim that nobody releases is waited for, and then taken over');

# ---- statistics ---------------------------------------------------------------------------------

all_do('SELECT probe_note_time(100000, 10)');
is($sessions[0]->query('SELECT probe_counts()'), '10|300000|300000|target-9.iot.eu-west-1.amazonaws.com', 'no call is lost in counting');
cmp_ok($sessions[0]->query('SELECT probe_note_time(100000, 10)') / 100000, '<', 5, 'to count one takes next to nothing')
  and note('microseconds for a call: ', $sessions[0]->query('SELECT probe_note_time(100000, 10)') / 100000);
all_do('SELECT probe_note_time(1000, 1000)');
is($sessions[0]->query('SELECT probe_counts()'), '128|503000|503000|(others)', 'pairs beyond what there is room for are counted together');

# ---- without preloading --------------------------------------------------------------------------

begin('');
is_deeply([ all_do(q{SELECT probe_claims(50, 'own')}) ], [ 50, 50, 50 ], 'without preloading each session asks for itself');
is_deeply([ all_do('SELECT probe_answers(700, 0.5)') ],   [ 0,  0,  0 ],  'and keeps answers of its own');
is($_->query('SELECT probe_note_time(10, 1) > 0, probe_counts()'), 't|1|10|10|target-0.iot.eu-west-1.amazonaws.com', 'and counts for itself') for @sessions;
$granted = sum(all_do('SELECT probe_rate(1000000, 1, 0.3)'));
is($granted, 3, 'and asks at a rate of its own');

$_->quit for @sessions;
no_crash($node);
done_testing();
