# Connections and the descriptors of a backend: with more requests at once than it may have
# descriptors, a query goes on with fewer connections, and nothing else in the session, or in the
# cluster, lacks any.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Wait;
use JSON::PP;
use Test::More;

my $LIMIT = 1024;

# An endpoint that takes its time, so that all requests that can be are in flight at once.
my $emulator = IotData::Emulator->start(arguments => [ '--no-authentication', '--delay', '200' ]);
my $hold     = IotData::FaultyServer->start(
	answers   => { good => json_answer({ connected => JSON::PP::true }), last => [ [ ['hold'] ] ] },
	otherwise => json_answer({ connected => JSON::PP::true }));

# The server inherits the limits of this process, which goes back to its own afterwards.
sub with_limit
{
	my ($limit, $code) = @_;

	my $own = qx(prlimit --pid $$ --nofile --output=SOFT --noheadings) =~ s/\s//gr;

	system('prlimit', '--pid', $$, "--nofile=$limit:") == 0 or die "prlimit failed\n";
	my $result = $code->();
	system('prlimit', '--pid', $$, "--nofile=$own:") == 0 or die "prlimit failed\n";
	return $result;
}

my $node = with_limit($LIMIT, sub { IotData::Node->make('descriptors', endpoint => $emulator->url, conf => "iotdata.max_concurrency = 1000\niotdata.request_timeout = '1h'\n") });
my $session = $node->session;
my $other   = $node->session;

sub descriptors
{
	my ($of) = @_;
	my @links = map { readlink // () } glob "/proc/@{[ $of->pid ]}/fd/*";

	return (scalar(@links), scalar grep { /^socket:/ } @links);
}

# 1,000 requests at once, and one look at everything that has a file: 300 tables.
my $many = q{SELECT count(*) FROM iotdata.get_connections((SELECT array_agg('nobody-' || i) FROM generate_series(1, 1000) i)) WHERE error_code IS NULL};
my $files = 'SELECT ' . join(' + ', map { "(SELECT count(*) FROM files_$_)" } 1 .. 300);
$session->query("DO \$\$ BEGIN FOR i IN 1 .. 300 LOOP EXECUTE format('CREATE TABLE files_%s AS SELECT 1 AS i', i); END LOOP; END \$\$");

like($node->safe_psql('postgres', 'SHOW max_files_per_process'), qr/^1000$/, 'PostgreSQL takes what the limit allows');
my ($before, $sockets) = descriptors($session);
$session->begin($many);
my $most = 0;
ok(eventually(sub { my ($all, $now) = descriptors($session); $most = $now if $now > $most; return $now - $sockets >= 100 }), 'many connections are open while many requests are under way');
is($session->finish->{out}, '1000', 'all of 1,000 requests at once have their answer');
cmp_ok($most, '<', $LIMIT / 2, 'there are fewer connections than requests at once');
my (undef, $after) = descriptors($session);
cmp_ok($after - $sockets, '<=', 64 + 3, 'connections above 64 are closed when the statement has ended');

$session->query("SET work_mem = '64kB'; BEGIN");
$session->query("DECLARE k CURSOR FOR SELECT c FROM generate_series(1, 1000) i LEFT JOIN LATERAL iotdata.get_connection('nobody-' || i) c ON true");
$session->query('FETCH 1 FROM k');
gives($session, $files, '300', 'a statement that needs many files has them while a cursor has its requests under way');
gives($session, 'SELECT count(*) FROM (SELECT i FROM generate_series(1, 100000) i ORDER BY i DESC OFFSET 1) s', '99999', 'a statement that needs temporary files has them while a cursor has its requests under way');
is($session->query('MOVE ALL IN k'), '', 'a cursor goes on after statements that needed many files');
$session->query('COMMIT');

# What once was a PANIC: a backend that writes has no descriptor left for the write-ahead log, because
# another one has made it close all its files.
$session->query("CREATE TABLE written (i integer); PREPARE q AS $many");
for my $round (1 .. 3)
{
	$session->query('BEGIN; INSERT INTO written SELECT generate_series(1, 1000)');
	$session->begin('EXECUTE q; EXECUTE q');
	$other->query('CREATE DATABASE brief');
	$other->query('DROP DATABASE brief');
	is($session->finish->{out}, "1000\n1000", "a transaction that writes makes many requests while a database is dropped ($round)");
	$session->query("INSERT INTO written SELECT generate_series(1, 100000); COMMIT");
}
gives($session, 'SELECT count(*) FROM written', '303000', 'what transactions with many requests wrote is there');

# ---- programs do not inherit connections -------------------------------------------------------

my $inherited = q{CREATE TEMP TABLE inherited (line text); COPY inherited FROM PROGRAM 'ls -l /proc/self/fd'; SELECT count(*) FROM inherited WHERE line LIKE '%socket:%' OR line LIKE '%eventpoll%'; DROP TABLE inherited};
my $fresh = $node->session;
my $none  = $fresh->query($inherited);
$fresh->query($many);
gives($fresh, $inherited, $none, 'a program that the server starts inherits no connection');

# ---- when there are very few -------------------------------------------------------------------

sub set_limit
{
	my ($of, $limit) = @_;

	system('prlimit', '--pid', $of->pid, "--nofile=$limit:") == 0 or die "prlimit failed\n";
	return;
}

# PostgreSQL believes in more than the kernel gives: the query goes on with what it got.
my ($open) = descriptors($fresh);
my $few = $node->session;
$few->query("SET iotdata.endpoint_url = '" . $hold->url . "'");
goes_on($few, 'nothing');
($open) = descriptors($few);
set_limit($few, $open + 3);
gives($few, $many, '1000', 'with three descriptors left, all of 1,000 requests have their answer');
set_limit($few, $LIMIT);

my $none_left = $node->session;
$none_left->query("SET iotdata.endpoint_url = '" . $hold->url . "'; SELECT count(*) FROM pg_class");
set_limit($none_left, 4);
fails_with($none_left, q{SELECT iotdata.get_connection('good')}, '53000', {}, 'a session\'s first call without any descriptor is 53000');
set_limit($none_left, $LIMIT);
goes_on($none_left, 'no descriptor at all');
$none_left->query("SET iotdata.endpoint_url = '" . $emulator->url . "'");
set_limit($none_left, 4);
fails_with($none_left, q{SELECT iotdata.get_connection('good')}, '53000', {}, 'a call without any descriptor for a connection is 53000');
set_limit($none_left, $LIMIT);
$none_left->query("SET iotdata.endpoint_url = '" . $hold->url . "'");
goes_on($none_left, 'no descriptor for a connection');

# Where PostgreSQL itself has few, it says so.
$_->quit for $session, $other, $fresh, $few, $none_left;
$node->stop('fast');
with_limit(120, sub { $node->start });
my $poor = $node->session;
gives($poor, $many, '1000', 'a server with very few descriptors has all answers');
gives($poor, $files, '300', 'a server with very few descriptors has its files');

no_crash($node);
done_testing();
